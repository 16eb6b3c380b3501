package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{DSN: filepath.Join(t.TempDir(), "lab?%.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func accept(t *testing.T, s *Store, guid, body string) (taken bool) {
	t.Helper()
	err := s.Tx(t.Context(), func(ctx context.Context, tx *Tx) (err error) {
		taken, err = s.AcceptDelivery(ctx, tx, guid, "push", []byte(body))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func end(t *testing.T, s *Store, guid, state string) (ended bool) {
	t.Helper()
	err := s.Tx(t.Context(), func(ctx context.Context, tx *Tx) (err error) {
		ended, err = s.EndDelivery(ctx, tx, guid, state, "because")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ended
}

// A GUID is handled once. Only a failed delivery can be replaced.
func testDeliveries(t *testing.T, s *Store) {
	ctx := t.Context()
	if !accept(t, s, "g1", "one") || accept(t, s, "g1", "two") {
		t.Error("a GUID was not accepted exactly once")
	}
	if err := s.FailDelivery(ctx, "g1", "no network"); err != nil {
		t.Fatal(err)
	}
	if !accept(t, s, "g1", "three") {
		t.Error("a redelivery of a failed one was not accepted")
	}
	d, err := s.Delivery(ctx, "g1")
	if err != nil || d.State != DeliveryReceived || string(d.Body) != "three" || d.Reason != "" {
		t.Errorf("taken over: %+v, %v", d, err)
	}
	if !end(t, s, "g1", DeliveryIgnored) || end(t, s, "g1", DeliveryProcessed) || accept(t, s, "g1", "four") {
		t.Error("a delivery did not end exactly once")
	}
	if err := s.FailDelivery(ctx, "g1", "late"); err != nil {
		t.Fatal(err)
	}
	if d, err = s.Delivery(ctx, "g1"); err != nil || d.State != DeliveryIgnored || d.Reason != "because" {
		t.Errorf("ended: %+v, %v", d, err)
	}
	if _, err := s.Delivery(ctx, "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no such delivery: %v", err)
	}
}

// There is one writer at a time, and it sees a change during its write when the write ends.
func testChecks(t *testing.T, s *Store) {
	ctx := t.Context()
	want := func(id string) (c Check) {
		t.Helper()
		err := s.Tx(ctx, func(ctx context.Context, tx *Tx) (err error) {
			c, err = s.PutCheck(ctx, tx, Check{ID: id, InstallationID: 1, Repo: "o/r", HeadSHA: "abc", Name: "smoke"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	want("c1")
	if c := want("c2"); c.ID != "c1" || c.Wanted != 2 {
		t.Fatalf("wanted twice: %+v", c)
	}
	soon := time.Now().Add(time.Minute)
	c, err := s.ClaimCheck(ctx, "c1", "w1", soon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClaimCheck(ctx, "c1", "w2", soon); !errors.Is(err, ErrNotFound) {
		t.Errorf("claimed twice: %v", err)
	}
	if err := s.CheckCreated(ctx, "c1", "w2", 8); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stranger noted the check run: %v", err)
	}
	if err := s.CheckCreated(ctx, "c1", "w1", 7); err != nil {
		t.Error(err)
	}
	want("c3")
	c.Open = false
	if more, err := s.CheckSent(ctx, c, "w1"); err != nil || !more {
		t.Errorf("the change during the write is not seen: %v, %v", more, err)
	}
	if c, err = s.ClaimCheck(ctx, "c1", "w2", soon); err != nil || c.CheckRunID != 7 || c.Open {
		t.Fatalf("second claim: %+v, %v", c, err)
	}
	c.Open = false
	if more, err := s.CheckSent(ctx, c, "w2"); err != nil || more {
		t.Errorf("nothing more to send: %v, %v", more, err)
	}
	if open, err := s.OpenChecks(ctx, soon, 10); err != nil || len(open) != 0 {
		t.Errorf("open checks: %v, %v", open, err)
	}
	want("c4")
	if err := s.ForgetChecks(ctx, soon.UnixMilli()); err != nil {
		t.Error(err)
	}
	if _, err := s.Check(ctx, "c1"); err != nil {
		t.Errorf("a check with something to send is forgotten: %v", err)
	}
	if c, err = s.ClaimCheck(ctx, "c1", "w3", soon); err != nil {
		t.Fatal(err)
	}
	c.Open = false
	if _, err := s.CheckSent(ctx, c, "w3"); err != nil {
		t.Error(err)
	}
	if err := s.ForgetChecks(ctx, soon.UnixMilli()); err != nil {
		t.Error(err)
	}
	if _, err := s.Check(ctx, "c1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an old check is kept: %v", err)
	}
}

func TestSQLite(t *testing.T) {
	t.Run("deliveries", func(t *testing.T) { testDeliveries(t, openTest(t)) })
	t.Run("checks", func(t *testing.T) { testChecks(t, openTest(t)) })
	t.Run("pulls", func(t *testing.T) { testPulls(t, openTest(t)) })
	t.Run("schedule", func(t *testing.T) { testSchedule(t, openTest(t)) })
	t.Run("requeue", func(t *testing.T) { testRequeue(t, openTest(t)) })
}

func TestTxUndone(t *testing.T) {
	s, boom := openTest(t), errors.New("boom")
	err := s.Tx(t.Context(), func(ctx context.Context, tx *Tx) error {
		if _, err := s.AcceptDelivery(ctx, tx, "g", "push", []byte("{}")); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Delivery(t.Context(), "g"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the delivery stayed: %v", err)
	}
}
