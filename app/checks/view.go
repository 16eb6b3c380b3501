package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/results"
)

// Problem is why a check has no runs: its files were refused, or policy forbids them.
type Problem struct {
	Conclusion  string             `json:"conclusion"` // of GitHub: failure, action_required, …
	Title       string             `json:"title"`
	Summary     string             `json:"summary"` // Markdown
	Annotations []ghapi.Annotation `json:"annotations,omitempty"`
}

// String is the problem as the store keeps it.
func (p Problem) String() string {
	b, err := json.Marshal(p)
	if err != nil {
		return "{}" // cannot be: texts and numbers only
	}
	return string(b)
}

// View is everything that a check shows.
type View struct {
	Check   store.Check
	Problem *Problem
	Runs    []Run
}

// Run is a run as a check shows it.
type Run struct {
	store.Run
	Place    int64            // in the queue, from 1; 0 when it does not wait for a target
	Attempts []store.Attempt  // in order
	Results  *results.Results // of the last attempt that has any; nil when there is none
	Of       int              // the number of the attempt whose results these are
	Job      []byte           // its definition, once it has results
}

// Rows reads from the store what checks show.
type Rows interface {
	RunsOfCheck(ctx context.Context, check string) ([]store.Run, error)
	Attempts(ctx context.Context, run string) ([]store.Attempt, error)
	QueuePlace(ctx context.Context, run string) (int64, error)
	Job(ctx context.Context, run string) ([]byte, error)
}

// Load reads what a check shows: its problem, or the runs of its generation.
func Load(ctx context.Context, rows Rows, c store.Check) (View, error) {
	v := View{Check: c}
	if c.Problem != "" {
		v.Problem = new(Problem)
		if err := json.Unmarshal([]byte(c.Problem), v.Problem); err != nil {
			return v, fmt.Errorf("read problem of check %s: %w", c.ID, err)
		}
		return v, nil
	}
	runs, err := rows.RunsOfCheck(ctx, c.ID)
	if err != nil {
		return v, err
	}
	for _, r := range runs {
		if !strings.HasPrefix(r.Key, c.RunKey("")) {
			continue
		}
		run, err := LoadRun(ctx, rows, r)
		if err != nil {
			return v, err
		}
		v.Runs = append(v.Runs, run)
	}
	if len(v.Runs) == 0 {
		return v, fmt.Errorf("check %s: %w", c.ID, errNoRuns)
	}
	return v, nil
}

// errNoRuns is returned for a check whose runs are deleted.
var errNoRuns = fmt.Errorf("runs: %w", store.ErrNotFound)

// LoadRun reads what is shown of a run.
func LoadRun(ctx context.Context, rows Rows, r store.Run) (v Run, err error) {
	v.Run = r
	if v.Attempts, err = rows.Attempts(ctx, r.ID); err != nil {
		return v, err
	}
	if v.Place, err = rows.QueuePlace(ctx, r.ID); err != nil {
		return v, err
	}
	for i := len(v.Attempts) - 1; i >= 0 && v.Results == nil; i-- {
		if b := v.Attempts[i].Results; len(b) > 0 {
			v.Results, v.Of = results.NewResults(), v.Attempts[i].Number
			if err := json.Unmarshal(b, v.Results); err != nil {
				return v, fmt.Errorf("read results of run %s: %w", r.ID, err)
			}
		}
	}
	if v.Results != nil {
		v.Job, err = rows.Job(ctx, r.ID)
	}
	return v, err
}
