package lab

import (
	"path"
	"slices"
	"time"
)

// The terms of a lease.
const (
	// LeaseTimeout is the silence after which a lease is lost: the runner, or its network, is taken for dead.
	LeaseTimeout = 30 * time.Second
	// HeartbeatInterval leaves room within a lease's time for two heartbeats that get lost.
	HeartbeatInterval = 8 * time.Second
)

// Trust is where a run came from, in levels. A target names the least it wants.
type Trust string

// The levels of trust, from the least.
const (
	Untrusted Trust = "untrusted" // a stranger's code
	Approved  Trust = "approved"  // a stranger's code that somebody with write access approved, for that commit
	Trusted   Trust = "trusted"   // a branch of the repository itself
)

// Reaches says whether a run of trust t may use what wants at least least. An empty wish is any trust; an unknown one
// is taken for the highest, and an unknown t for the lowest.
func (t Trust) Reaches(least Trust) bool {
	levels := []Trust{Untrusted, Approved, Trusted}
	if least == "" {
		return true
	}
	want := slices.Index(levels, least)
	if want < 0 {
		want = len(levels) - 1
	}
	return max(slices.Index(levels, t), 0) >= want
}

// Allowed says whether an allow-list of path.Match patterns lets a repository, owner/name, in. An empty one lets every
// repository in; a bad pattern none.
func Allowed(patterns []string, repository string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, repository)
		return err == nil && ok
	})
}

// Health is what a runner thinks of a target.
type Health string

// The states of a target's health.
const (
	Good        Health = "good" // announced as "" as well
	Unknown     Health = "unknown"
	Bad         Health = "bad"
	Maintenance Health = "maintenance"
)

// Target is a board or guest, as its runner announces it.
type Target struct {
	Name   string // unique on its runner
	Type   string
	Tags   []string
	Trust  Trust
	Health Health
}

// Announcement is what a runner says of itself when it connects.
type Announcement struct {
	Version      string // of gantry
	Targets      []Target
	Leases       []string // that this process holds
	Repositories []string // its allow-list: path.Match patterns of owner/name; empty allows every repository
}

// Source says which code a run tests.
type Source struct {
	Repository  string `json:"repository"` // owner/name
	Ref         string `json:"ref"`
	Commit      string `json:"commit"`
	PullRequest int64  `json:"pull_request,omitempty"` // 0: none
}

// Assignment is one attempt at a run, with the lease of its target.
type Assignment struct {
	Lease   string `json:"lease"` // its id, never used again: whoever lost it is fenced off by it
	Run     string `json:"run"`
	Attempt int    `json:"attempt"` // 1 or 2
	Target  string `json:"target"`
	Name    string `json:"name"` // of the job in .github/gantry.yml
	Job     []byte `json:"job"`  // the LAVA job definition's source
	Trust   Trust  `json:"trust"`
	Source  Source `json:"source"`
	Lists
}

// Lists are what a repository says of results: the sources of its lists at the run's commit, empty for none, and how
// often the definitions of failed cases are run again.
type Lists struct {
	KnownFailures []byte `json:"known_failures,omitempty"` // as jobs.ParseKnownFailures reads it
	KernelLog     []byte `json:"kernel_log,omitempty"`     // the kernel messages that are allowed or denied
	TestRetries   int    `json:"test_retries,omitempty"`
}

// Cancel asks the holder of a lease to stop its run.
type Cancel struct{ Lease, Reason string }

// Keepalive says that the stream is alive.
type Keepalive struct{ Version string } // of the app

// Outcome is what a runner says at the end of an attempt.
type Outcome struct {
	Lease    string           `json:"lease"`
	Verdict  string           `json:"verdict"`
	Class    string           `json:"class"`
	Message  string           `json:"message"`
	Complete bool             `json:"complete"`
	Sizes    map[Stream]int64 `json:"sizes"` // of the runner's files, in bytes
}
