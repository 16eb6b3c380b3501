// Package checks makes what GitHub shows: a check run for each job of .github/gantry.yml on a commit, from queued, with
// its place, over in progress, with a link to the live page, to its conclusion, with a table of suites and cases and
// annotations at the lines of failed cases.
//
// The rows of store.Check are the outbox. A Writer makes a check run once, then updates it: it finds the one it made
// before it makes one, so that a crash in between never makes two; it sends the state of now, so that an older state
// never follows a newer one and many changes are one update; and it is within GitHub's limits of text and annotations.
package checks
