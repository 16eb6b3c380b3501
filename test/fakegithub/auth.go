package fakegithub

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// audience says whose credentials an operation takes.
type audience int

const (
	anyone      audience = iota // no credentials needed
	theApp                      // the App's JWT
	installed                   // an installation token
	tokenOrNone                 // an installation token, or none
)

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
		return c.refuse(
			RuleAuth, http.StatusUnauthorized, "Bad credentials", "token expired at "+tok.expires.Format(time.RFC3339),
		), true
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
