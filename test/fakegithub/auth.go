package fakegithub

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	jwtLife   = 10 * time.Minute // GitHub's maximum for an App's JWT
	tokenLife = time.Hour        // of an installation token
)

// audience says whose credentials an operation takes.
type audience int

const (
	anyone      audience = iota // no credentials needed
	theApp                      // the App's JWT
	installed                   // an installation token
	tokenOrNone                 // an installation token, or none
)

// token is an installation token, with what it was narrowed to.
type token struct {
	installation *installation
	expires      time.Time
	permissions  map[string]string
	repos        map[int64]bool // nil: all of the installation's
}

// authorization is who sent a request.
type authorization struct {
	app          bool
	token        *token
	secret       string // the token itself
	installation *installation
	repo         *repository // the repository of the path, when it has one
}

func (a authorization) budget() string {
	switch {
	case a.installation != nil:
		return fmt.Sprint("installation ", a.installation.id)
	case a.app:
		return "app"
	}
	return "anonymous"
}

// authorize checks the credentials and finds the path's repository. The lock is held.
func (c *call) authorize(ep endpoint) (reply, bool) {
	secret := bearer(c.r.Header.Get("Authorization"))
	switch {
	case ep.who == theApp:
		if out, refused := c.authorizeApp(secret); refused {
			return out, true
		}
	case ep.who == installed, ep.who == tokenOrNone && secret != "":
		if out, refused := c.authorizeToken(secret); refused {
			return out, true
		}
	}
	if owner, name := c.op.params["owner"], c.op.params["repo"]; name != "" {
		return c.authorizeRepo(ep, owner+"/"+name)
	}
	return c.permit(ep)
}

func (c *call) authorizeApp(secret string) (reply, bool) {
	status, message, err := checkJWT(secret, &c.key.PublicKey, c.opts.AppID, c.now())
	if err != nil {
		return c.refuse(RuleAuth, status, message, err.Error()), true
	}
	c.auth.app = true
	return reply{}, false
}

func (c *call) authorizeToken(secret string) (reply, bool) {
	if secret == "" {
		return c.refuse(RuleAuth, http.StatusUnauthorized, "Requires authentication", "no token"), true
	}
	tok, known := c.state.tokens[secret]
	switch {
	case !known:
		return c.refuse(RuleAuth, http.StatusUnauthorized, "Bad credentials", "unknown or revoked token"), true
	case !c.now().Before(tok.expires):
		return c.refuse(RuleAuth, http.StatusUnauthorized, "Bad credentials", "token expired at "+tok.expires.Format(time.RFC3339)), true
	case tok.installation.suspended:
		return failure(http.StatusForbidden, "This installation has been suspended"), true
	}
	c.auth.token, c.auth.secret, c.auth.installation = tok, secret, tok.installation
	return reply{}, false
}

// authorizeRepo answers 404 for a repository out of reach, so that a token does
// not even learn that it exists.
func (c *call) authorizeRepo(ep endpoint, fullName string) (reply, bool) {
	repo, known := c.state.repos[strings.ToLower(fullName)]
	if !known {
		return notFound(), true
	}
	c.auth.repo = repo
	if ep.who != installed {
		return c.permit(ep)
	}
	tok := c.auth.token
	if repo.installation != tok.installation || tok.repos != nil && !tok.repos[repo.id] {
		// A public fork that nobody installed the App on is read as by anyone. GitHub
		// would say so of any public repository; here another installation's is
		// refused, since reading it can only be a mix-up of installations.
		if repo.installation == nil && !repo.private && strings.HasSuffix(ep.permission, ":read") {
			return reply{}, false
		}
		reason := fmt.Sprintf("a token of installation %d does not reach %s", tok.installation.id, repo.fullName())
		return c.refuse(RuleAuth, http.StatusNotFound, "Not Found", reason), true
	}
	return c.permit(ep)
}

func (c *call) permit(ep endpoint) (reply, bool) {
	if c.auth.token == nil || ep.permission == "" {
		return reply{}, false
	}
	var has []string
	for permission := range strings.SplitSeq(ep.permission, "|") {
		name, want, _ := strings.Cut(permission, ":")
		have := c.auth.token.permissions[name]
		if have == want || have == "write" || have == "admin" {
			return reply{}, false
		}
		has = append(has, fmt.Sprintf("%s %q", name, have))
	}
	reason := fmt.Sprintf("the operation takes %s, the token has %s", ep.permission, strings.Join(has, ", "))
	return c.refuse(RuleAuth, http.StatusForbidden, "Resource not accessible by integration", reason), true
}

func bearer(header string) string {
	scheme, secret, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token") {
		return strings.TrimSpace(secret)
	}
	return ""
}

// checkJWT checks an App's JWT as GitHub does. On error it returns what GitHub
// answers, and what is really wrong.
func checkJWT(text string, key *rsa.PublicKey, appID int64, now time.Time) (int, string, error) {
	const undecodable = "A JSON web token could not be decoded"
	claims, err := parseJWT(text, key)
	if err != nil {
		return http.StatusUnauthorized, undecodable, err
	}
	if iss := strings.Trim(string(claims.Iss), `"`); iss != fmt.Sprint(appID) {
		return http.StatusNotFound, "Integration not found", fmt.Errorf("iss is %q, the App's id is %d", iss, appID)
	}
	iat, exp := seconds(claims.Iat), seconds(claims.Exp)
	switch {
	case iat.IsZero() || iat.After(now):
		return http.StatusUnauthorized, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
			fmt.Errorf("iat %q is missing or in the future", claims.Iat)
	case exp.IsZero() || !exp.After(now):
		return http.StatusUnauthorized, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
			fmt.Errorf("exp %q is missing or past", claims.Exp)
	case exp.Sub(now) > jwtLife || exp.Sub(iat) > jwtLife+time.Minute:
		return http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future",
			fmt.Errorf("exp is %s after now and %s after iat, more than 10 minutes", exp.Sub(now), exp.Sub(iat))
	}
	return 0, "", nil
}

type jwtClaims struct {
	Iss json.RawMessage `json:"iss"`
	Iat json.Number     `json:"iat"`
	Exp json.Number     `json:"exp"`
}

func parseJWT(text string, key *rsa.PublicKey) (jwtClaims, error) {
	var claims jwtClaims
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return claims, errors.New("not a JWT")
	}
	var header struct{ Alg string }
	if err := decodePart(parts[0], &header); err != nil {
		return claims, fmt.Errorf("JWT header: %w", err)
	}
	if header.Alg != "RS256" {
		return claims, fmt.Errorf("JWT algorithm %q is not RS256", header.Alg)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return claims, fmt.Errorf("JWT signature: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return claims, fmt.Errorf("JWT signature: %w", err)
	}
	if err := decodePart(parts[1], &claims); err != nil {
		return claims, fmt.Errorf("JWT claims: %w", err)
	}
	return claims, nil
}

func decodePart(part string, v any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func seconds(n json.Number) time.Time {
	whole, err := n.Int64()
	if err != nil {
		f, ferr := n.Float64()
		if ferr != nil {
			return time.Time{}
		}
		whole = int64(f)
	}
	return time.Unix(whole, 0)
}

// newToken makes a token's text, in the old or the new form.
func (s *Server) newToken() string {
	plain := strings.ReplaceAll(rand.Text()+rand.Text(), "=", "")
	if s.opts.ShortTokens {
		return "ghs_" + plain[:36]
	}
	// The new form is stateless: a JWT of 300 to 500 characters after the App's id.
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return fmt.Sprintf("ghs_%d_%s.%s.%s", s.opts.AppID, part(`{"alg":"ES256","typ":"JWT"}`),
		part(`{"jti":"`+plain+`","iss":"github.com","aud":"api.github.com","ver":1}`), part(plain+plain+plain))
}

// createToken serves POST /app/installations/{installation_id}/access_tokens.
func (c *call) createToken() reply {
	inst := c.installationByID()
	if inst == nil {
		return notFound()
	}
	if inst.suspended {
		return failure(http.StatusForbidden, "This installation has been suspended")
	}
	var in struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if err := c.decode(&in); err != nil {
		return c.invalid("Problems parsing JSON: %v", err)
	}
	tok := &token{installation: inst, expires: c.now().Add(tokenLife).Truncate(time.Second), permissions: inst.permissions}
	for name, level := range in.Permissions {
		if have := inst.permissions[name]; have != level && have != "write" && have != "admin" {
			return c.invalid("The permissions requested are not granted to this installation: %s", name)
		}
		tok.permissions = withMetadata(in.Permissions)
	}
	var chosen []*repository
	for _, repo := range c.state.ordered {
		if repo.installation == inst && (slices.Contains(in.Repositories, repo.name) || slices.Contains(in.RepositoryIDs, repo.id)) {
			chosen = append(chosen, repo)
		}
	}
	if len(chosen) < len(in.Repositories)+len(in.RepositoryIDs) {
		return c.invalid("There is at least one repository that does not exist or is not accessible to the parent installation.")
	}
	text := c.newToken()
	c.state.tokens[text] = tok
	out := object{
		"token": text, "expires_at": tok.expires.Format(time.RFC3339),
		"permissions": tok.permissions, "repository_selection": inst.selection,
	}
	if chosen != nil {
		tok.repos = map[int64]bool{}
		list := []object{}
		for _, repo := range chosen {
			tok.repos[repo.id] = true
			list = append(list, c.repositoryJSON(repo))
		}
		out["repositories"], out["repository_selection"] = list, "selected"
	}
	return reply{status: http.StatusCreated, body: out}
}

// revokeToken serves DELETE /installation/token.
func (c *call) revokeToken() reply {
	delete(c.state.tokens, c.auth.secret)
	return reply{status: http.StatusNoContent}
}

// ExpireTokens makes every token that was issued so far expire now.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tok := range s.state.tokens {
		tok.expires = s.now()
	}
}
