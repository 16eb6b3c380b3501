package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/stdlib"
)

// changesChannel is where replicas on PostgreSQL tell each other of changes.
const changesChannel = "gantry_changes"

// Change says, after its commit, where there may be work now. It is a hint: whoever misses one, since a
// connection broke, finds the work when it looks again.
type Change struct {
	Queue  bool   `json:"queue,omitempty"`  // a run waits, or a target became idle
	Runner string `json:"runner,omitempty"` // has a lease to be told of, or a cancel
}

// subscribers are who is told of changes. The zero value is ready.
type subscribers struct {
	mu   sync.RWMutex
	next int
	fs   map[int]func(Change)
}

// Subscribe has f called after each commit that makes work, until stop is called. f must not block.
func (s *Store) Subscribe(f func(Change)) (stop func()) {
	c := &s.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fs == nil {
		c.fs = map[int]func(Change){}
	}
	id := c.next
	c.next++
	c.fs[id] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.fs, id)
	}
}

// tell tells the subscribers, once tx is committed; on PostgreSQL those of other replicas as well.
func (s *Store) tell(ctx context.Context, tx *Tx, c Change) error {
	tx.AfterCommit(func() { s.changes.tell(c) })
	if !s.Postgres() {
		return nil
	}
	b, err := json.Marshal(c)
	if err == nil {
		_, err = tx.ExecContext(ctx, `SELECT pg_notify($1, $2)`, changesChannel, string(b))
	}
	if err != nil {
		return fmt.Errorf("tell other replicas: %w", err)
	}
	return nil
}

func (c *subscribers) tell(change Change) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, f := range c.fs {
		f(change)
	}
}

// Listen tells this replica's subscribers of the changes that others make, until ctx ends or the connection does; then
// the caller listens again. On SQLite there are no others: it only waits.
func (s *Store) Listen(ctx context.Context) error {
	if !s.Postgres() {
		<-ctx.Done()
		return nil
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("listen to other replicas: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool, or is broken
	err = conn.Raw(func(c any) error {
		pg := c.(*stdlib.Conn).Conn()
		if _, err := pg.Exec(ctx, `LISTEN `+changesChannel); err != nil {
			return err
		}
		for {
			n, err := pg.WaitForNotification(ctx)
			if err != nil {
				// The connection still listens, or is cut off in the middle: nobody else shall have it.
				return errors.Join(driver.ErrBadConn, err)
			}
			var change Change
			if json.Unmarshal([]byte(n.Payload), &change) == nil {
				s.changes.tell(change)
			}
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("listen to other replicas: %w", err)
}
