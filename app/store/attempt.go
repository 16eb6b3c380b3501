package store

import (
	"context"
	"fmt"

	"github.com/gantry-ci/gantry/results"
)

// Attempt is one execution of a run on one target.
type Attempt struct {
	RunID   string
	Number  int // 1 or 2
	LeaseID string
	Runner  string // names, as they were when it began
	Target  string
	Ended   bool
	results.Verdict
	Results            []byte // JSON of results.Results, once it ended
	StartedMS, EndedMS int64
}

const attemptColumns = `run_id, number, lease_id, runner, target, state, verdict, class, message, complete, results,
	started_ms, ended_ms`

func scanAttempt(r scanner) (v Attempt, err error) {
	var state string
	var complete int64
	err = r.Scan(&v.RunID, &v.Number, &v.LeaseID, &v.Runner, &v.Target, &state,
		&v.Verdict.Verdict, &v.Class, &v.Message, &complete, &v.Results, &v.StartedMS, &v.EndedMS)
	v.Ended, v.Complete = state == "ended", complete != 0
	return v, err
}

// Attempts reads the attempts at a run, in order.
func (s *Store) Attempts(ctx context.Context, run string) ([]Attempt, error) {
	vs, err := all(
		ctx, s.ro, scanAttempt, `SELECT `+attemptColumns+` FROM attempts WHERE run_id = $1 ORDER BY number`, run,
	)
	if err != nil {
		return nil, fmt.Errorf("read attempts at run %q: %w", run, err)
	}
	return vs, nil
}
