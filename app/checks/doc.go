// Package checks writes what GitHub shows: a check run for each job of .github/gantry.yml on a commit. It is queued,
// with its place in the queue; then in progress, with a link to the live page; then it has a conclusion, with tables of
// suites and cases and with annotations at the lines of failed cases.
//
// The rows of store.Check are the outbox. A Writer creates a check run once and then updates it. Before it creates one
// it searches for it, so that a crash never leads to two. It always sends the current state, so that an older state
// never follows a newer one, and many changes become one update. It keeps to GitHub's limits of text and annotations.
package checks
