package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// ErrLeaseLost is returned for a lease that the caller does not hold: it ended, or was another's. Nothing is changed.
var ErrLeaseLost = errors.New("the lease is lost")

// Lease is the exclusive hold of a target for an attempt at a run.
type Lease struct {
	ID       string
	RunnerID string
	RunID    string
	Attempt  int
	Accepted bool   // the runner has spoken of it
	Cancel   string // why its run shall stop
	UntilMS  int64  // lost then
}

const leaseColumns = `id, runner_id, run_id, attempt, accepted, cancel, until_ms`

func scanLease(r scanner) (v Lease, err error) {
	var accepted int64
	err = r.Scan(&v.ID, &v.RunnerID, &v.RunID, &v.Attempt, &accepted, &v.Cancel, &v.UntilMS)
	v.Accepted = accepted != 0
	return v, err
}

// HeldLeases reads what a runner holds, the oldest first.
func (s *Store) HeldLeases(ctx context.Context, runner string) ([]Lease, error) {
	vs, err := all(
		ctx, s.ro, scanLease,
		`SELECT `+leaseColumns+` FROM leases WHERE runner_id = $1 AND state = 'held' ORDER BY created_ms, id`, runner,
	)
	if err != nil {
		return nil, fmt.Errorf("read leases of runner %s: %w", runner, err)
	}
	return vs, nil
}

// HeldLease reads a lease that the runner holds; any other is ErrLeaseLost.
func (s *Store) HeldLease(ctx context.Context, runner, id string) (Lease, error) {
	v, err := one(
		s.ro.QueryRowContext(
			ctx, `SELECT `+leaseColumns+` FROM leases WHERE id = $1 AND runner_id = $2 AND state = 'held'`, id, runner,
		),
		scanLease,
	)
	if errors.Is(err, ErrNotFound) {
		err = ErrLeaseLost
	}
	if err != nil {
		return v, fmt.Errorf("read lease %.40q: %w", id, err)
	}
	return v, nil
}

// Assignment reads what the runner that holds the lease is to do.
func (s *Store) Assignment(ctx context.Context, lease string) (a lab.Assignment, err error) {
	err = s.ro.QueryRowContext(ctx, `SELECT l.id, l.run_id, l.attempt, t.name, r.name, r.job, r.trust, r.repository, r.ref, r.commit_sha, r.pull_number,
			r.known_failures, r.kernel_log, r.test_retries
		FROM leases l JOIN runs r ON r.id = l.run_id JOIN targets t ON t.id = l.target_id WHERE l.id = $1 AND l.state = 'held'`, lease).Scan(
		&a.Lease, &a.Run, &a.Attempt, &a.Target, &a.Name, &a.Job, &a.Trust,
		&a.Source.Repository, &a.Source.Ref, &a.Source.Commit, &a.Source.PullRequest,
		&a.KnownFailures, &a.KernelLog, &a.TestRetries)
	if isNoRows(err) {
		err = ErrLeaseLost
	}
	if err != nil {
		return a, fmt.Errorf("read assignment of lease %s: %w", lease, err)
	}
	return a, nil
}

// KeepLeases gives the leases that a runner says it holds new time. lost are those it does not hold; cancels are those
// whose runs it shall stop. A lease with plenty of time left is not written again.
func (s *Store) KeepLeases(
	ctx context.Context, runner string, ids []string,
) (lost []string, cancels []lab.Cancel, err error) {
	held, err := s.HeldLeases(ctx, runner)
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[string]Lease, len(held))
	for _, l := range held {
		byID[l.ID] = l
	}
	var due []string
	until := s.leaseUntil()
	for _, id := range ids {
		l, ok := byID[id]
		if !ok {
			lost = append(lost, id)
			continue
		}
		if l.Cancel != "" {
			cancels = append(cancels, lab.Cancel{Lease: id, Reason: l.Cancel})
		}
		if !l.Accepted || until-l.UntilMS > lab.HeartbeatInterval.Milliseconds()/2 {
			due = append(due, id)
		}
	}
	if len(due) == 0 {
		return lost, cancels, nil
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		for _, id := range due {
			r, err := tx.ExecContext(
				ctx, `UPDATE leases SET until_ms = $1, accepted = 1 WHERE id = $2 AND state = 'held'`, until, id,
			)
			ok, err := changed(r, err, "keep lease %s", id)
			if err != nil {
				return err
			}
			if !ok {
				lost = append(lost, id)
			}
		}
		return nil
	})
	return lost, cancels, err
}

// RunnersWithNews reads which runners have leases they have not spoken of, or that are canceled: a replica looks there
// for what another one has done.
func (s *Store) RunnersWithNews(ctx context.Context) ([]string, error) {
	vs, err := all(
		ctx, s.ro, scanString,
		`SELECT DISTINCT runner_id FROM leases WHERE state = 'held' AND (accepted = 0 OR cancel <> '')`,
	)
	if err != nil {
		return nil, fmt.Errorf("read runners with news: %w", err)
	}
	return vs, nil
}

// ExpiredLeases reads the leases whose time is up.
func (s *Store) ExpiredLeases(ctx context.Context) ([]Lease, error) {
	vs, err := all(
		ctx, s.ro, scanLease,
		`SELECT `+leaseColumns+` FROM leases WHERE state = 'held' AND until_ms < $1 ORDER BY until_ms, id`, s.nowMS(),
	)
	if err != nil {
		return nil, fmt.Errorf("read expired leases: %w", err)
	}
	return vs, nil
}

// End is how an attempt ends.
type End struct {
	Silent  bool // the lease's time is up; without effect when it was kept meanwhile
	Bad     bool // the target cannot be used until it is announced as good again
	Verdict results.Verdict
	Results []byte // JSON of jobs.Results, as far as they came
}

// EndLease ends a lease, and the attempt it is for, and decides what becomes of the run: a failure of the lab is tried
// again once, on another target if there is one; anything else is the run's verdict. A run that was canceled stays so.
// To end a lease again that its runner has released is harmless; one that it has lost is ErrLeaseLost.
func (s *Store) EndLease(ctx context.Context, runner, id string, e End) error {
	err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		state, latest := "released", int64(1)<<62
		if e.Silent {
			state, latest = "lost", s.nowMS()
		}
		var l Lease
		var target string
		var accepted int64
		err := tx.QueryRowContext(ctx, `UPDATE leases SET state = $1, ended_ms = $2 WHERE id = $3 AND runner_id = $4 AND state = 'held' AND until_ms < $5
			RETURNING run_id, attempt, target_id, accepted`, state, s.nowMS(), id, runner, latest).Scan(&l.RunID, &l.Attempt, &target, &accepted)
		if isNoRows(err) {
			return s.wasReleased(ctx, tx, runner, id)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(
			ctx, `UPDATE targets SET lease_id = '', used_ms = $1 WHERE id = $2 AND lease_id = $3`, s.nowMS(), target, id,
		)
		if err != nil {
			return err
		}
		if e.Bad {
			if _, err := tx.ExecContext(ctx, `UPDATE targets SET health = 'bad' WHERE id = $1`, target); err != nil {
				return err
			}
		}
		if err := s.tell(ctx, tx, Change{Queue: true, Runner: runner}); err != nil {
			return err
		}
		if e.Silent && accepted == 0 {
			return s.unbegin(ctx, tx, l)
		}
		return s.endAttempt(ctx, tx, l, target, e)
	})
	if err != nil {
		return fmt.Errorf("end lease %.40q: %w", id, err)
	}
	return nil
}

// wasReleased is nil when the runner has ended the lease before.
func (s *Store) wasReleased(ctx context.Context, tx *Tx, runner, id string) error {
	var n int64
	err := tx.QueryRowContext(
		ctx, `SELECT COUNT(*) FROM leases WHERE id = $1 AND runner_id = $2 AND state = 'released'`, id, runner,
	).Scan(&n)
	if err == nil && n == 0 {
		err = ErrLeaseLost
	}
	return err
}

// waitAnew begins, at $1, the time that a run may wait: what its attempt took is not its wait.
const waitAnew = `queue_until_ms = CASE WHEN queue_ms > 0 THEN queue_ms + $1 ELSE 0 END`

// unbegin takes back an attempt that never reached its runner, so that it does not count.
func (s *Store) unbegin(ctx context.Context, tx *Tx, l Lease) error {
	if _, err := tx.ExecContext(
		ctx, `DELETE FROM attempts WHERE run_id = $1 AND number = $2`, l.RunID, l.Attempt,
	); err != nil {
		return err
	}
	r, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'queued', attempts = attempts - 1, `+waitAnew+
		` WHERE id = $2 AND state = 'running'`,
		s.nowMS(), l.RunID)
	if ok, err := changed(r, err, "queue run %s again", l.RunID); err != nil || !ok {
		return err
	}
	return s.runChanged(ctx, tx, l.RunID)
}

func (s *Store) endAttempt(ctx context.Context, tx *Tx, l Lease, target string, e End) error {
	complete := int64(0)
	if e.Verdict.Complete {
		complete = 1
	}
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET state = 'ended', verdict = $1, class = $2, message = $3, complete = $4, results = $5, ended_ms = $6
		WHERE run_id = $7 AND number = $8`, e.Verdict.Verdict, string(e.Verdict.Class), lab.Clip(e.Verdict.Message), complete, string(e.Results), s.nowMS(), l.RunID, l.Attempt)
	if err != nil {
		return err
	}
	if e.Verdict.Class == results.ClassInfrastructure {
		r, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'queued', `+waitAnew+
			`, avoid_target = $2, class = $3, message = $4
			WHERE id = $5 AND state = 'running' AND attempts < max_attempts`, s.nowMS(), target, string(e.Verdict.Class), lab.Clip(e.Verdict.Message), l.RunID)
		again, err := changed(r, err, "queue run %s again", l.RunID)
		if err != nil {
			return err
		}
		if again {
			return s.runChanged(ctx, tx, l.RunID)
		}
	}
	_, err = s.completeRun(ctx, tx, l.RunID, e.Verdict)
	return err
}
