package store

import (
	"context"
	"testing"
)

// The newest state of a pull request wins, in whatever order states are recorded.
func testPulls(t *testing.T, s *Store) {
	see := func(sha string, open bool, at int64) (got Pull) {
		t.Helper()
		err := s.Tx(t.Context(), func(ctx context.Context, tx *Tx) (err error) {
			got, err = s.RecordPull(ctx, tx, Pull{
				InstallationID: 1, Repo: "o/r", Number: 7, HeadSHA: sha, Open: open, SeenMS: at,
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if p := see("a", true, 10); p.HeadSHA != "a" || !p.Open {
		t.Errorf("first: %+v", p)
	}
	if p := see("b", false, 20); p.HeadSHA != "b" || p.Open {
		t.Errorf("fresher: %+v", p)
	}
	if p := see("a", true, 15); p.HeadSHA != "b" || p.Open || p.SeenMS != 20 {
		t.Errorf("older: %+v", p)
	}
}
