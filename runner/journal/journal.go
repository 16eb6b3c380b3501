// Package journal remembers what must be taken back. An entry is written and synced before its effect, and names the
// thing by an identity chosen beforehand (a guest's id, a path), so that a process that did not do it can undo it.
// There is no other clean-up: success, failure, retry, cancel and crash all play the same stack backwards.
//
// What dies with the process anyway (a reader, a listener) goes on the same stack by Defer, without a line on disk.
package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/internal/atomicfile"
)

// Undo is one effect to take back.
type Undo struct {
	Kind string `json:"kind"`
	Arg  string `json:"arg"`
	// Name is what messages call the thing, where Arg is not fit for them: it may hold a password. "" is Arg.
	Name string `json:"name,omitempty"`
}

func (u Undo) String() string {
	if u.Name != "" {
		return u.Kind + " " + u.Name
	}
	return u.Kind + " " + u.Arg
}

// Undoers say how each kind is undone. An undoer is idempotent, and finds nothing to do where the effect never began.
type Undoers map[string]func(ctx context.Context, arg string) error

// Merge makes one table of those of several rooms. A kind that two of them have is a bug: nobody knows whose it is.
func Merge(tables ...Undoers) (Undoers, error) {
	all := Undoers{}
	for _, t := range tables {
		for kind, undo := range t {
			if all[kind] != nil {
				return nil, fmt.Errorf("merge undoers: there are two for %s", kind)
			}
			all[kind] = undo
		}
	}
	return all, nil
}

// undoTimeout bounds one undo: a PDU is given three tries of ten seconds.
const undoTimeout = 30 * time.Second

// Journal is the stack of one attempt. Its methods may be called from several goroutines.
type Journal struct {
	how Undoers

	mu    sync.Mutex
	f     *os.File
	last  int // the highest id given
	stack []entry
}

type entry struct {
	Undo
	id int
	fn func() error // of Defer
}

// line is a line of the file: an effect about to begin, or one that was undone. Undone effects are named, not counted,
// since Rollback goes on after one that is stuck.
type line struct {
	ID   int   `json:"id"`
	Do   *Undo `json:"do,omitempty"`
	Done bool  `json:"done,omitempty"`
}

// Open opens a journal, with what an earlier process left in it.
func Open(path string, how Undoers) (*Journal, error) {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{f: f, how: how}
	whole := j.load(old)
	// A torn last line would swallow the next one.
	err = f.Truncate(int64(whole))
	if err == nil {
		err = atomicfile.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", err), f.Close())
	}
	return j, nil
}

// load reads the lines of an earlier process and returns how many bytes of them are whole. The effect of a torn line
// never began: Before had not returned.
func (j *Journal) load(old []byte) (whole int) {
	for raw := range bytes.Lines(old) {
		var l line
		if raw[len(raw)-1] != '\n' || json.Unmarshal(raw, &l) != nil {
			break
		}
		whole += len(raw)
		if l.Do != nil {
			j.stack = append(j.stack, entry{Undo: *l.Do, id: l.ID})
			j.last = l.ID
		} else {
			j.stack = slices.DeleteFunc(j.stack, func(e entry) bool { return e.id == l.ID })
		}
	}
	return whole
}

// Before records an effect that is about to begin; it may begin only when Before returns nil.
func (j *Journal) Before(kind, arg string) error { return j.Record(Undo{Kind: kind, Arg: arg}) }

// Record is Before for an undo that has a name.
func (j *Journal) Record(u Undo) error {
	if j.how[u.Kind] == nil {
		return fmt.Errorf("record %s: no undo of this kind", u)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.put(line{ID: j.last + 1, Do: &u}); err != nil {
		return fmt.Errorf("record %s: %w", u, err)
	}
	j.last++
	j.stack = append(j.stack, entry{Undo: u, id: j.last})
	return nil
}

// Defer runs fn in its turn of Rollback, in this process only.
func (j *Journal) Defer(fn func() error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stack = append(j.stack, entry{fn: fn})
}

// Mark is a savepoint for Rollback.
func (j *Journal) Mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.stack)
}

// Rollback undoes what was recorded since mark, last first, whatever became of ctx. It goes on after an undo that
// fails, and the entry of that one stays in the file, for Recover to try again.
func (j *Journal) Rollback(ctx context.Context, mark int) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for {
		u, ok := j.pop(mark)
		if !ok {
			return errors.Join(errs...)
		}
		if err := j.undo(ctx, u); err != nil {
			errs = append(errs, err)
		}
	}
}

func (j *Journal) pop(mark int) (entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.stack) <= mark {
		return entry{}, false
	}
	u := j.stack[len(j.stack)-1]
	j.stack = j.stack[:len(j.stack)-1]
	return u, true
}

func (j *Journal) undo(ctx context.Context, u entry) error {
	if u.fn != nil {
		return u.fn()
	}
	how := j.how[u.Kind]
	if how == nil {
		return fmt.Errorf("undo %s: no undo of this kind", u.Undo)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, undoTimeout, fmt.Errorf("not undone after %s", undoTimeout))
	defer cancel()
	if err := how(ctx, u.Arg); err != nil {
		return fmt.Errorf("undo %s: %w", u.Undo, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// When this write is lost, the undo happens twice; it is idempotent.
	return j.put(line{ID: u.id, Done: true})
}

// put appends one line, synced. The caller holds mu.
func (j *Journal) put(l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return err
	}
	return j.f.Sync()
}

// Close closes the file, which stays for the next process.
func (j *Journal) Close() error { return j.f.Close() }
