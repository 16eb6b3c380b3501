// Package queue decides which run gets which target. It is pure: the store hands it what waits and what is idle, and
// writes down what it says, in one transaction.
package queue

import (
	"cmp"
	"slices"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// Run is a run that waits.
type Run struct {
	ID         string
	Type       string
	Tags       []string // all of which its target must have
	Trust      lab.Trust
	Repository string // owner/name
	Priority   int64  // the highest goes first
	Created    int64  // epoch milliseconds; among equals the oldest goes first
	Avoid      string // the target where its first attempt failed: any other is better
}

// Target is a target that is idle, healthy and whose runner is connected.
type Target struct {
	ID           string
	Type         string
	Tags         []string
	Trust        lab.Trust // the least it wants
	Repositories []string  // its runner's allow-list, path.Match patterns; empty allows every repository
	Used         int64     // epoch milliseconds of its last use
}

// Match gives a target to a run.
type Match struct{ Run, Target string }

// Fits says whether r may ever run on t.
func Fits(r Run, t Target) bool {
	if r.Type != t.Type || !r.Trust.Reaches(t.Trust) || !lab.Allowed(t.Repositories, r.Repository) {
		return false
	}
	return !slices.ContainsFunc(r.Tags, func(tag string) bool { return !slices.Contains(t.Tags, tag) })
}

// Assign gives every run it can a target of its own. A run takes the least special target that fits, so that the
// special ones stay free for who needs them, and of equal ones the longest unused, so that a broken one is not met at
// each retry.
func Assign(runs []Run, targets []Target) []Match {
	runs, targets = slices.Clone(runs), slices.Clone(targets)
	slices.SortStableFunc(runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(targets, func(a, b Target) int {
		return cmp.Or(cmp.Compare(len(a.Tags), len(b.Tags)), cmp.Compare(a.Used, b.Used), cmp.Compare(a.ID, b.ID))
	})
	var out []Match
	for _, r := range runs {
		i := slices.IndexFunc(targets, func(t Target) bool { return t.ID != r.Avoid && Fits(r, t) })
		if i < 0 {
			i = slices.IndexFunc(targets, func(t Target) bool { return Fits(r, t) })
		}
		if i >= 0 {
			out = append(out, Match{r.ID, targets[i].ID})
			targets = slices.Delete(targets, i, i+1)
		}
	}
	return out
}
