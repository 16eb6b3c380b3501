package store

import (
	"context"
	"database/sql"
	"fmt"
)

// States of a delivery.
const (
	DeliveryReceived  = "received"  // accepted, not handled yet
	DeliveryProcessed = "processed" // it started, canceled or changed something
	DeliveryIgnored   = "ignored"   // nothing to do; the reason says why
	DeliveryRefused   = "refused"   // it can never succeed; the reason says why
	DeliveryFailed    = "failed"    // the last try failed; it is retried, and a redelivery replaces it
)

// Delivery is a webhook that was accepted.
type Delivery struct {
	GUID           string
	Event          string // as X-GitHub-Event says
	Body           []byte
	State          string
	Reason         string
	Action         string // this and the next two fields are set once it is handled
	InstallationID int64
	Repo           string
	Tries          int64
	ReceivedMS     int64
	EndedMS        int64
}

const deliveryColumns = `guid, event, body, state, reason, action, installation_id, repo, tries, received_ms, ended_ms`

func scanDelivery(r scanner) (d Delivery, err error) {
	err = r.Scan(
		&d.GUID, &d.Event, &d.Body, &d.State, &d.Reason, &d.Action, &d.InstallationID, &d.Repo, &d.Tries, &d.ReceivedMS,
		&d.EndedMS,
	)
	return d, err
}

// AcceptDelivery inserts a delivery. It is true when the delivery must be handled: it is new, or the redelivery of one
// that failed. Any other GUID that is known already changes nothing.
func (s *Store) AcceptDelivery(ctx context.Context, tx *Tx, guid, event string, body []byte) (bool, error) {
	r, err := tx.ExecContext(ctx, `
		INSERT INTO deliveries (guid, event, body, state, received_ms) VALUES ($1, $2, $3, 'received', $4)
		ON CONFLICT (guid) DO UPDATE SET
			event = excluded.event, body = excluded.body, state = 'received', reason = '', tries = 0,
			received_ms = excluded.received_ms, ended_ms = 0
		WHERE deliveries.state = 'failed'`, guid, event, body, s.nowMS())
	return changed(r, err, "accept delivery %q", guid)
}

// Delivery reads a delivery.
func (s *Store) Delivery(ctx context.Context, guid string) (Delivery, error) {
	d, err := one(
		s.ro.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE guid = $1`, guid), scanDelivery,
	)
	if err != nil {
		return d, fmt.Errorf("read delivery %q: %w", guid, err)
	}
	return d, nil
}

// RouteDelivery records what a delivery is about.
func (s *Store) RouteDelivery(ctx context.Context, guid, action string, installation int64, repo string) error {
	_, err := s.db.ExecContext(
		ctx, `UPDATE deliveries SET action = $1, installation_id = $2, repo = $3 WHERE guid = $4`, action, installation, repo,
		guid,
	)
	if err != nil {
		return fmt.Errorf("route delivery %q: %w", guid, err)
	}
	return nil
}

// EndDelivery records how a delivery ended: processed, ignored or refused. It is false when another try has ended it
// before; the caller then rolls tx back.
func (s *Store) EndDelivery(ctx context.Context, tx *Tx, guid, state, reason string) (bool, error) {
	r, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = $1, reason = $2, ended_ms = $3, tries = tries + 1
		WHERE guid = $4 AND state IN ('received', 'failed')`, state, reason, s.nowMS(), guid)
	return changed(r, err, "end delivery %q", guid)
}

// FailDelivery records that a try failed, unless another try has ended the delivery.
func (s *Store) FailDelivery(ctx context.Context, guid, reason string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE deliveries SET state = 'failed', reason = $1, tries = tries + 1, ended_ms = $2
		WHERE guid = $3 AND state IN ('received', 'failed')`, reason, s.nowMS(), guid)
	if err != nil {
		return fmt.Errorf("fail delivery %q: %w", guid, err)
	}
	return nil
}

// UnhandledDeliveries lists the deliveries that no try has ended, oldest first.
func (s *Store) UnhandledDeliveries(ctx context.Context) ([]string, error) {
	guids, err := all(ctx, s.ro, scanString, `SELECT guid FROM deliveries WHERE state = 'received' ORDER BY received_ms`)
	if err != nil {
		return nil, fmt.Errorf("list unhandled deliveries: %w", err)
	}
	return guids, nil
}

// CountDeliveries counts deliveries by state.
func (s *Store) CountDeliveries(ctx context.Context) (map[string]int64, error) {
	type count struct {
		state string
		n     int64
	}
	counts, err := all(ctx, s.ro, func(r scanner) (c count, err error) { err = r.Scan(&c.state, &c.n); return c, err },
		`SELECT state, COUNT(*) FROM deliveries GROUP BY state`)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	out := make(map[string]int64, len(counts))
	for _, c := range counts {
		out[c.state] = c.n
	}
	return out, nil
}

// ForgetDeliveries deletes deliveries that ended before the time, and returns how many.
func (s *Store) ForgetDeliveries(ctx context.Context, beforeMS int64) (int64, error) {
	r, err := s.db.ExecContext(ctx, `DELETE FROM deliveries WHERE state <> 'received' AND ended_ms < $1`, beforeMS)
	if err != nil {
		return 0, fmt.Errorf("forget deliveries: %w", err)
	}
	return r.RowsAffected()
}

// changed reports whether a statement changed a row; what names the action in an error.
func changed(r sql.Result, err error, what string, a ...any) (bool, error) {
	if err != nil {
		return false, fmt.Errorf(what+": %w", append(a, err)...)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return false, fmt.Errorf(what+": %w", append(a, err)...)
	}
	return n > 0, nil
}
