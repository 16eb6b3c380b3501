package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/app/queue"
	"github.com/gantry-ci/gantry/jobs/lab"
)

// ErrLeaseLost is returned for a lease that the caller does not hold: it has ended, or is another runner's. Nothing was
// changed.
var ErrLeaseLost = errors.New("the lease is lost")

// Lease is the exclusive hold of a target for an attempt at a run.
type Lease struct {
	ID       string
	RunnerID string
	RunID    string
	Attempt  int
	Accepted bool   // the runner has acknowledged it
	Cancel   string // why its run must stop; "" while it need not
	UntilMS  int64  // when it is lost
}

const leaseColumns = `id, runner_id, run_id, attempt, accepted, cancel, until_ms`

func scanLease(r scanner) (v Lease, err error) {
	var accepted int64
	err = r.Scan(&v.ID, &v.RunnerID, &v.RunID, &v.Attempt, &accepted, &v.Cancel, &v.UntilMS)
	v.Accepted = accepted != 0
	return v, err
}

// HeldLeases reads the leases that a runner holds, oldest first.
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

// HeldLease reads a lease that the runner holds; for any other the error is ErrLeaseLost.
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
	err = s.ro.QueryRowContext(ctx, `SELECT l.id, l.run_id, l.attempt, t.name, r.name, r.job, r.trust,
			r.repository, r.ref, r.commit_sha, r.pull_number, r.known_failures, r.kernel_log, r.test_retries
		FROM leases l JOIN runs r ON r.id = l.run_id JOIN targets t ON t.id = l.target_id
		WHERE l.id = $1 AND l.state = 'held'`, lease).Scan(
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

// KeepLeases extends the leases that a runner says it holds, as queue.RenewLease wants. lost are those that it does not
// hold; cancels are those whose runs it must stop.
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
	now := s.clock()
	for _, id := range ids {
		l, ok := byID[id]
		if !ok {
			lost = append(lost, id)
			continue
		}
		if l.Cancel != "" {
			cancels = append(cancels, lab.Cancel{Lease: id, Reason: l.Cancel})
		}
		if queue.RenewLease(l.Accepted, time.UnixMilli(l.UntilMS), now) {
			due = append(due, id)
		}
	}
	if len(due) == 0 {
		return lost, cancels, nil
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		for _, id := range due {
			kept, err := s.renewLease(ctx, tx, id, queue.LeaseUntil(now))
			if err != nil {
				return err
			}
			if !kept {
				lost = append(lost, id)
			}
		}
		return nil
	})
	return lost, cancels, err
}

func (s *Store) renewLease(ctx context.Context, tx *Tx, id string, until time.Time) (kept bool, err error) {
	r, err := tx.ExecContext(
		ctx, `UPDATE leases SET until_ms = $1, accepted = 1 WHERE id = $2 AND state = 'held'`, until.UnixMilli(), id,
	)
	return changed(r, err, "keep lease %s", id)
}

// RunnersToNotify reads which runners have leases that they have not acknowledged, or that are canceled. A replica
// learns from it what another one has done.
func (s *Store) RunnersToNotify(ctx context.Context) ([]string, error) {
	vs, err := all(
		ctx, s.ro, scanString,
		`SELECT DISTINCT runner_id FROM leases WHERE state = 'held' AND (accepted = 0 OR cancel <> '')`,
	)
	if err != nil {
		return nil, fmt.Errorf("read runners to notify: %w", err)
	}
	return vs, nil
}

// ExpiredLeases reads the leases that have run out, oldest first.
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

// ExtendLeases gives every lease its whole time again, those that ran out as well: the app could hear no heartbeats.
func (s *Store) ExtendLeases(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE leases SET until_ms = $1 WHERE state = 'held' AND until_ms < $1`,
		queue.LeaseUntil(s.clock()).UnixMilli()); err != nil {
		return fmt.Errorf("extend leases: %w", err)
	}
	return nil
}
