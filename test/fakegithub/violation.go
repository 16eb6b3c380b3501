package fakegithub

import (
	"fmt"
	"slices"
)

// Rule says what kind of rule a request broke.
type Rule string

// The kinds of rules.
const (
	RuleUnknown  Rule = "unknown operation" // GitHub has no such operation, or octokit/operations.txt lacks it
	RuleAuth     Rule = "credentials"       // a JWT or token that GitHub refuses, or one without the permission
	RuleRequest  Rule = "OpenAPI request"   // the request does not fit GitHub's description
	RuleGitHub   Rule = "GitHub's rules"    // it fits, and GitHub refuses it all the same
	RuleLimit    Rule = "rate limit"        // the installation went over a limit that is enforced
	RuleResponse Rule = "OpenAPI response"  // the answer does not fit: a mistake of this package
)

// Violation is one rule broken by one request.
type Violation struct {
	Rule   Rule
	Method string
	Path   string
	Status int // of the answer
	Reason string
}

// Error names the rule, the request and what was wrong with it.
func (v *Violation) Error() string {
	return fmt.Sprintf("%s: %s %s: %s (answered %d)", v.Rule, v.Method, v.Path, v.Reason, v.Status)
}

// Violations returns what was recorded since the start, oldest first.
func (s *Server) Violations() []*Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) violate(v *Violation) {
	s.mu.Lock()
	s.violations = append(s.violations, v)
	s.mu.Unlock()
	s.opts.Logger.Warn("violation", "rule", string(v.Rule), "method", v.Method, "path", v.Path, "reason", v.Reason)
	if s.opts.Violation != nil {
		s.opts.Violation(v)
	}
}
