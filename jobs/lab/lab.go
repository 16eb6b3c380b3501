package lab

import (
	"path"
	"slices"
	"time"
)

// The terms of a lease.
const (
	// LeaseTimeout is the silence after which a lease is lost: the runner, or its network, counts as dead.
	LeaseTimeout = 30 * time.Second
	// HeartbeatInterval is that of a runner that holds leases. Two heartbeats may get lost before a lease is.
	HeartbeatInterval = 8 * time.Second
)

// Trust says how far the origin of a run is trusted. A target requires a level at least.
type Trust string

// The levels of trust, from the least.
const (
	Untrusted Trust = "untrusted" // a stranger's code
	Approved  Trust = "approved"  // a stranger's code that somebody with write access approved, for that commit
	Trusted   Trust = "trusted"   // a branch of the repository itself
)

// Reaches reports whether t is at least the level that a target requires. An empty requirement is met by any level. An
// unknown requirement counts as the highest level, and an unknown t as the lowest.
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

// Allowed reports whether an allow-list of path.Match patterns allows a repository, owner/name. An empty list allows
// every repository; a malformed pattern allows none.
func Allowed(patterns []string, repository string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, repository)
		return err == nil && ok
	})
}

// Health is the condition of a target, as its runner announces it. Runs go to good targets only.
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

// Announcement is what a runner announces of itself when it connects.
type Announcement struct {
	Version      string // of gantry
	Targets      []Target
	Leases       []string // ids of those that this process of the runner holds
	Repositories []string // its allow-list: path.Match patterns of owner/name; empty allows every repository
}

// Source is the code that a run tests.
type Source struct {
	Repository  string `json:"repository"` // owner/name
	Ref         string `json:"ref"`
	Commit      string `json:"commit"`
	PullRequest int64  `json:"pull_request,omitempty"` // 0: none
}

// Assignment is one attempt at a run, with the lease of its target.
type Assignment struct {
	Lease   string `json:"lease"` // its id, never used again: calls under a lost lease are refused
	Run     string `json:"run"`
	Attempt int    `json:"attempt"` // 1 or 2
	Target  string `json:"target"`
	Name    string `json:"name"` // of the job in .github/gantry.yml
	Job     []byte `json:"job"`  // the LAVA job definition's source
	Trust   Trust  `json:"trust"`
	Source  Source `json:"source"`
	Lists
}

// Lists are a repository's rules for results: the sources of its lists at the run's commit, empty for none, and how
// often the definitions of failed cases are run again.
type Lists struct {
	KnownFailures []byte `json:"known_failures,omitempty"` // as results.ParseKnownFailures reads it
	KernelLog     []byte `json:"kernel_log,omitempty"`     // kernel messages that are allowed or denied
	TestRetries   int    `json:"test_retries,omitempty"`
}

// Cancel asks the holder of a lease to stop its run.
type Cancel struct{ Lease, Reason string }

// Keepalive shows that the stream works.
type Keepalive struct{ Version string } // of the app

// Outcome is what a runner reports at the end of an attempt.
type Outcome struct {
	Lease    string           `json:"lease"`
	Verdict  string           `json:"verdict"`
	Class    string           `json:"class"`
	Message  string           `json:"message"`
	Complete bool             `json:"complete"`
	Sizes    map[Stream]int64 `json:"sizes"` // of the runner's files, in bytes: the app has less if an upload was cut
}
