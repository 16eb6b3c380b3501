package fakegithub

import (
	"maps"
	"slices"
)

// Installation is the App installed on an account.
type Installation struct {
	ID      int64
	Account string
}

// InstallationOptions vary an installation.
type InstallationOptions struct {
	// Organization makes a new account an organization, not a user.
	Organization bool
	// Permissions are what the account granted, "checks": "write"; nil grants
	// what DefaultPermissions says.
	Permissions map[string]string
	// Events are the webhook events subscribed to; nil is the usual set.
	Events []string
}

// DefaultPermissions are those of an App that reads code and writes checks and comments.
func DefaultPermissions() map[string]string {
	return map[string]string{
		"actions": "read", "administration": "read", "checks": "write", "contents": "read", "issues": "write",
		"members": "read", "metadata": "read", "pull_requests": "write",
	}
}

// AddInstallation installs the App on an account, which is made if it is new.
// Repositories of that account, added before or after, belong to it.
func (s *Server) AddInstallation(login string, o InstallationOptions) Installation {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := s.state.account(login)
	if o.Organization {
		owner.kind = "Organization"
	}
	if o.Permissions == nil {
		o.Permissions = DefaultPermissions()
	}
	if o.Events == nil {
		o.Events = []string{
			"check_run", "check_suite", "issue_comment", "merge_group", "pull_request", "push", "workflow_run",
		}
	}
	inst := &installation{
		id: s.state.id(), account: owner, selection: "all",
		permissions: withMetadata(o.Permissions), events: slices.Clone(o.Events), created: s.now(),
	}
	s.state.installations = append(s.state.installations, inst)
	for _, repo := range s.state.ordered {
		if repo.owner == owner {
			repo.installation = inst
		}
	}
	return Installation{ID: inst.id, Account: owner.login}
}

// RemoveInstallation uninstalls the App: its tokens are void, its repositories out of reach.
func (s *Server) RemoveInstallation(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := func(inst *installation) bool { return inst != nil && inst.id == id }
	s.state.installations = slices.DeleteFunc(s.state.installations, gone)
	maps.DeleteFunc(s.state.tokens, func(_ string, tok *token) bool { return gone(tok.installation) })
	for _, repo := range s.state.ordered {
		if gone(repo.installation) {
			repo.installation = nil
		}
	}
}

// SuspendInstallation suspends an installation, or ends its suspension.
func (s *Server) SuspendInstallation(id int64, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, inst := range s.state.installations {
		if inst.id == id {
			inst.suspended = suspended
		}
	}
}
