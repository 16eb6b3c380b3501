package journal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/runner/journal"
)

// recorder is a set of undoers that write down what they are asked.
type recorder struct {
	trace []string
	fail  string
}

func (r *recorder) undoers() journal.Undoers {
	undo := func(_ context.Context, arg string) error {
		r.trace = append(r.trace, arg)
		if arg == r.fail {
			return errors.New("stuck")
		}
		return nil
	}
	return journal.Undoers{"a": undo, "b": undo}
}

func open(t *testing.T, path string, r *recorder) *journal.Journal {
	t.Helper()
	j, err := journal.Open(path, r.undoers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func before(t *testing.T, j *journal.Journal, kind, arg string) {
	t.Helper()
	if err := j.Before(kind, arg); err != nil {
		t.Fatal(err)
	}
}

func TestRollbackIsBackwardsToTheMark(t *testing.T) {
	var r recorder
	j := open(t, filepath.Join(t.TempDir(), "journal"), &r)
	before(t, j, "a", "1")
	mark := j.Mark()
	before(t, j, "b", "2")
	j.Defer(func() error { r.trace = append(r.trace, "fn"); return nil })
	before(t, j, "a", "3")
	if err := j.Rollback(t.Context(), mark); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"3", "fn", "2"}, r.trace); d != "" {
		t.Error(d)
	}
}

func TestRollbackOutlivesItsContext(t *testing.T) {
	var r recorder
	j := open(t, filepath.Join(t.TempDir(), "journal"), &r)
	before(t, j, "a", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Rollback(ctx, 0); err != nil || len(r.trace) != 1 {
		t.Errorf("undone %v, %v", r.trace, err)
	}
}

func TestNextProcessUndoesTheRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	first := recorder{fail: "2"}
	j := open(t, path, &first)
	for _, arg := range []string{"1", "2", "3"} {
		before(t, j, "a", arg)
	}
	if err := j.Rollback(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "undo a 2: stuck") {
		t.Fatalf("rollback: %v", err)
	}
	var second recorder
	if err := open(t, path, &second).Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"2"}, second.trace); d != "" {
		t.Errorf("only what was stuck is left: %s", d)
	}
}

func TestTornLineNeverBegan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	var r recorder
	before(t, open(t, path, &r), "a", "1")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"do":{"kind":"a","ar`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before(t, open(t, path, &r), "b", "2")
	if err := open(t, path, &r).Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"2", "1"}, r.trace); d != "" {
		t.Error(d)
	}
}

func TestUnknownKindIsRefusedBeforeTheEffect(t *testing.T) {
	var r recorder
	j := open(t, filepath.Join(t.TempDir(), "journal"), &r)
	if err := j.Before("c", "1"); err == nil || j.Mark() != 0 {
		t.Errorf("Before of an unknown kind: %v, stack of %d", err, j.Mark())
	}
}

// Tables of several rooms are merged; a kind of two of them is refused, since nobody knows whose it is.
func TestMerge(t *testing.T) {
	nothing := func(context.Context, string) error { return nil }
	all, err := journal.Merge(journal.Undoers{"a": nothing}, nil, journal.Undoers{"b": nothing})
	if err != nil || len(all) != 2 || all["a"] == nil || all["b"] == nil {
		t.Errorf("got %v, %v", all, err)
	}
	if _, err := journal.Merge(journal.Undoers{"a": nothing}, journal.Undoers{"a": nothing}); err == nil {
		t.Error("two rooms undo the same kind")
	}
}
