package queue

import (
	"cmp"
	"slices"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// Run is a run that waits for a target.
type Run struct {
	ID         string
	Type       string   // of the target
	Tags       []string // the target must have all of them
	Trust      lab.Trust
	Repository string // owner/name
	Priority   int64  // the highest goes first
	Created    int64  // epoch milliseconds; among equals the oldest goes first
	Avoid      string // the target on which its first attempt failed; any other is preferred
}

// Target is a target that is idle, healthy and whose runner is connected.
type Target struct {
	ID           string
	Type         string
	Tags         []string
	Trust        lab.Trust // the least that a run must have
	Repositories []string  // its runner's allow-list, path.Match patterns; empty allows every repository
	Used         int64     // epoch milliseconds of its last use
}

// Match assigns a target to a run; both are ids.
type Match struct{ Run, Target string }

// Fits reports whether r may run on t.
func Fits(r Run, t Target) bool {
	if r.Type != t.Type || !r.Trust.Reaches(t.Trust) || !lab.Allowed(t.Repositories, r.Repository) {
		return false
	}
	return !slices.ContainsFunc(r.Tags, func(tag string) bool { return !slices.Contains(t.Tags, tag) })
}

// Assign assigns a target to each run for which there is one. Runs are served by priority, then by age. A run gets the
// target with the fewest tags that fits, so that targets with rare tags stay free for the runs that need them; among
// equals the one unused for longest, so that retries do not meet the same broken target again.
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
