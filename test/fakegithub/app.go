package fakegithub

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
)

// getApp serves GET /app.
func (c *call) getApp() reply {
	out := c.appJSON()
	out["installations_count"] = len(c.state.installations)
	return ok(out)
}

// getInstallations serves GET /app/installations.
func (c *call) getInstallations() reply {
	var list []object
	for _, inst := range c.state.installations {
		list = append(list, c.installationJSON(inst))
	}
	return c.page(list)
}

func (c *call) installationByID() *installation {
	id := c.number("installation_id")
	for _, inst := range c.state.installations {
		if inst.id == id {
			return inst
		}
	}
	return nil
}

func (c *call) installationOrNot(inst *installation) reply {
	if inst == nil {
		return notFound()
	}
	return ok(c.installationJSON(inst))
}

// getInstallation serves GET /app/installations/{installation_id}.
func (c *call) getInstallation() reply { return c.installationOrNot(c.installationByID()) }

// repoInstallation serves GET /repos/{owner}/{repo}/installation.
func (c *call) repoInstallation() reply { return c.installationOrNot(c.auth.repo.installation) }

// accountInstallation serves GET /orgs/{org}/installation and /users/{username}/installation.
func (c *call) accountInstallation() reply {
	login := c.op.params["org"] + c.op.params["username"]
	owner, known := c.state.accounts[strings.ToLower(login)]
	if !known {
		return notFound()
	}
	return c.installationOrNot(c.state.installationOf(owner))
}

// installationRepositories serves GET /installation/repositories.
func (c *call) installationRepositories() reply {
	var list []object
	for _, repo := range c.state.ordered {
		tok := c.auth.token
		if repo.installation == tok.installation && (tok.repos == nil || tok.repos[repo.id]) {
			list = append(list, c.repositoryJSON(repo))
		}
	}
	out := c.pageIn("repositories", list)
	if body, isObject := out.body.(object); isObject {
		body["repository_selection"] = c.auth.installation.selection
	}
	return out
}

func (c *call) hookConfig() object {
	secret := any(nil)
	if c.opts.WebhookSecret != "" {
		secret = "********"
	}
	out := object{"content_type": "json", "insecure_ssl": "0"}
	if c.opts.WebhookURL != "" {
		out["url"] = c.opts.WebhookURL
	}
	if secret != nil {
		out["secret"] = secret
	}
	return out
}

// getHookConfig serves GET /app/hook/config.
func (c *call) getHookConfig() reply { return ok(c.hookConfig()) }

// updateHookConfig serves PATCH /app/hook/config.
func (c *call) updateHookConfig() reply {
	var in struct {
		URL         *string `json:"url"`
		Secret      *string `json:"secret"`
		ContentType *string `json:"content_type"`
	}
	if err := c.decode(&in); err != nil {
		return c.invalid("Problems parsing JSON: %v", err)
	}
	if in.ContentType != nil && *in.ContentType != "json" {
		return c.invalid("content_type %q: this server delivers JSON only", *in.ContentType)
	}
	set(&c.opts.WebhookURL, in.URL)
	set(&c.opts.WebhookSecret, in.Secret)
	return ok(c.hookConfig())
}

// getMeta serves GET /meta.
func (c *call) getMeta() reply {
	return reply{status: http.StatusOK, body: object{
		"verifiable_password_authentication": false,
		"hooks":                              []string{"127.0.0.1/32"}, "api": []string{"127.0.0.1/32"},
	}}
}

// role returns a user's role: admin, maintain, write, triage, read or none.
func (r *repository) role(login string) string {
	if role, known := r.roles[strings.ToLower(login)]; known {
		return role
	}
	if !r.private {
		return "read" // everybody's on a public repository
	}
	return "none"
}

// getPermission serves GET /repos/{owner}/{repo}/collaborators/{username}/permission.
func (c *call) getPermission() reply {
	user, known := c.state.accounts[strings.ToLower(c.op.params["username"])]
	if !known {
		return failure(http.StatusNotFound, c.op.params["username"]+" is not a user")
	}
	role := c.auth.repo.role(user.login)
	legacy := map[string]string{"maintain": "write", "triage": "read"}
	permission := role
	if old, renamed := legacy[role]; renamed {
		permission = old
	}
	out := c.userJSON(user)
	out["role_name"] = role
	out["permissions"] = object{
		"pull": role != "none", "triage": role != "none" && role != "read",
		"push":     permission == "write" || permission == "admin",
		"maintain": role == "maintain" || role == "admin", "admin": role == "admin",
	}
	return ok(object{"permission": permission, "role_name": role, "user": out})
}

// isMember serves GET /orgs/{org}/members/{username}.
func (c *call) isMember() reply {
	org, known := c.state.accounts[strings.ToLower(c.op.params["org"])]
	if !known || org.kind != "Organization" {
		return notFound()
	}
	for _, repo := range c.state.ordered {
		if repo.owner == org && repo.roles[strings.ToLower(c.op.params["username"])] != "" {
			return reply{status: http.StatusNoContent}
		}
	}
	return failure(
		http.StatusNotFound, fmt.Sprintf("User does not exist or is not a member of the organization %s", org.login),
	)
}

// convertManifest serves POST /app-manifests/{code}/conversions: any code is good
// once, for the App that this server has.
func (c *call) convertManifest() reply {
	code := c.op.params["code"]
	if c.state.manifests[code] {
		return notFound()
	}
	c.state.manifests[code] = true
	if c.opts.WebhookSecret == "" {
		c.opts.WebhookSecret = rand.Text()
	}
	out := c.appJSON()
	out["client_secret"], out["webhook_secret"], out["pem"] = rand.Text(), c.opts.WebhookSecret, string(c.PrivateKey())
	return reply{status: http.StatusCreated, body: out}
}
