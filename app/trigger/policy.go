package trigger

import (
	"fmt"
	"path"
	"slices"
)

// Policy is what the lab allows repositories to do, whatever their files ask for.
type Policy struct {
	Repositories []string // path.Match patterns of owner/name that are served; none: all
	Forks        Forks
}

// Forks is what happens to pull requests from forks.
type Forks string

// What may happen to pull requests from forks.
const (
	ForksRefused   Forks = ""          // their code does not run
	ForksUntrusted Forks = "untrusted" // it runs on targets that accept untrusted runs
)

// Validate reports what is wrong with the policy.
func (p Policy) Validate() error {
	for _, pattern := range p.Repositories {
		if _, err := path.Match(pattern, "owner/name"); err != nil {
			return fmt.Errorf("policy: repositories: pattern %q: %w", pattern, err)
		}
	}
	if p.Forks != ForksRefused && p.Forks != ForksUntrusted {
		return fmt.Errorf("policy: forks: %q is neither empty nor %q", p.Forks, ForksUntrusted)
	}
	return nil
}

// Serves reports whether the lab serves the repository.
func (p Policy) Serves(repo string) bool {
	return len(p.Repositories) == 0 || slices.ContainsFunc(p.Repositories, func(pattern string) bool {
		ok, err := path.Match(pattern, repo)
		return err == nil && ok
	})
}
