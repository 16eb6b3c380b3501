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

// changesChannel is the PostgreSQL channel on which replicas notify each other of changes.
const changesChannel = "gantry_changes"

// Change says, after a commit, where there may be work now. It is a hint: a subscriber that misses one, since a
// connection broke, finds the work when it polls.
type Change struct {
	Queue  bool   `json:"queue,omitempty"`  // a run waits, or a target became idle
	Runner string `json:"runner,omitempty"` // has a lease or a cancel to be told of
}

// subscribers are called with each change. The zero value is ready for use.
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

// notify calls the subscribers, once tx is committed; on PostgreSQL those of other replicas as well.
func (s *Store) notify(ctx context.Context, tx *Tx, c Change) error {
	tx.AfterCommit(func() { s.changes.notify(c) })
	if !s.Postgres() {
		return nil
	}
	b, err := json.Marshal(c)
	if err == nil {
		_, err = tx.ExecContext(ctx, `SELECT pg_notify($1, $2)`, changesChannel, string(b))
	}
	if err != nil {
		return fmt.Errorf("notify other replicas: %w", err)
	}
	return nil
}

func (c *subscribers) notify(change Change) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, f := range c.fs {
		f(change)
	}
}

// Listen notifies this replica's subscribers of the changes that others make, until ctx ends or the connection breaks;
// the caller then calls it again. On SQLite there are no other replicas, and it only waits for ctx.
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
				// The connection still listens, or broke in the middle of a message: it must not go back to the pool.
				return errors.Join(driver.ErrBadConn, err)
			}
			var change Change
			if json.Unmarshal([]byte(n.Payload), &change) == nil {
				s.changes.notify(change)
			}
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("listen to other replicas: %w", err)
}
