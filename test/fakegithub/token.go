package fakegithub

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// tokenLife is the life of an installation token.
const tokenLife = time.Hour

// token is an installation token, with what it was narrowed to.
type token struct {
	installation *installation
	expires      time.Time
	permissions  map[string]string
	repos        map[int64]bool // nil: all of the installation's
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
		if repo.installation == inst &&
			(slices.Contains(in.Repositories, repo.name) || slices.Contains(in.RepositoryIDs, repo.id)) {
			chosen = append(chosen, repo)
		}
	}
	if len(chosen) < len(in.Repositories)+len(in.RepositoryIDs) {
		return c.invalid(
			"There is at least one repository that does not exist or is not accessible to the parent installation.",
		)
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
