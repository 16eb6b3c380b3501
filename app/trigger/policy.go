package trigger

import (
	"fmt"
	"path"
	"slices"
)

// Policy is what the lab lets repositories do, whatever their files ask for.
type Policy struct {
	Repositories []string // path.Match patterns of owner/name that are served; none: all
	Forks        Forks
}

// Forks says what happens to a pull request from a fork.
type Forks string

// What the lab may do with forks.
const (
	ForksRefused   Forks = ""          // their code does not run
	ForksUntrusted Forks = "untrusted" // it runs where an untrusted run may
)

// Validate checks the policy.
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

// Serves says whether the lab serves the repository.
func (p Policy) Serves(repo string) bool {
	return len(p.Repositories) == 0 || slices.ContainsFunc(p.Repositories, func(pattern string) bool {
		ok, err := path.Match(pattern, repo)
		return err == nil && ok
	})
}
