package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
)

const (
	// recoverTimeout bounds the taking back of one run: a journal's undo has 30 s, and there are some.
	recoverTimeout = 5 * time.Minute
	// reportUpload is how long the rest of a cut-off run's record may delay the report, which the next attempt waits for.
	reportUpload = 5 * time.Second
	// recoverRetry is the wait before what could not be taken back is tried again: a PDU that reboots, a full disk.
	recoverRetry = time.Minute
)

// takeUp goes on with what an earlier process left, before the app is told that this one is there. What was cut off is
// taken back, all runs at the same time, since each has its own target; the rest goes on in life.
func (a *Agent) takeUp(ctx, life context.Context) error {
	entries, err := os.ReadDir(a.runsDir())
	if err != nil {
		return fmt.Errorf("read run folders: %w", err)
	}
	var back sync.WaitGroup
	for _, e := range entries {
		r, err := a.leftOver(life, e.Name())
		if err != nil {
			a.log.ErrorContext(ctx, "left-over run", "lease", e.Name(), "err", err)
		}
		if r == nil || !a.add(r) {
			continue
		}
		took := make(chan struct{})
		back.Go(func() {
			select {
			case <-took:
			case <-ctx.Done():
			}
		})
		go func() {
			defer a.remove(r)
			defer r.stop(nil)
			if err := a.goOn(life, r, func() { close(took) }); err != nil {
				a.log.Error("left-over run", "run", r.Run, "lease", r.Lease, "err", err)
			}
		}()
	}
	back.Wait()
	a.prune()
	return ctx.Err()
}

// leftOver is the run in a folder that is not done, or nil.
func (a *Agent) leftOver(life context.Context, lease string) (*run, error) {
	dir := filepath.Join(a.runsDir(), lease)
	if exists(filepath.Join(dir, doneFile)) {
		return nil, nil
	}
	as := lab.Assignment{Lease: lease}
	b, err := os.ReadFile(filepath.Join(dir, assignmentFile))
	if errors.Is(err, fs.ErrNotExist) {
		_, r := a.newRun(life, as)
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &as)
	}
	if err != nil {
		return nil, fmt.Errorf("read assignment: %w", err)
	}
	as.Lease = lease
	_, r := a.newRun(life, as)
	return r, nil
}

// takeUpRun goes on with a run of which an earlier process left the folder.
func (a *Agent) takeUpRun(life context.Context, r *run) error { return a.goOn(life, r, func() {}) }

// goOn ends a run that an earlier process began: what was executed is uploaded and finished; what was cut off is taken
// back and reported. back is called when the target is clean, or known not to be.
func (a *Agent) goOn(life context.Context, r *run, back func()) error {
	back = sync.OnceFunc(back)
	defer back()
	var o lab.Outcome
	b, err := os.ReadFile(filepath.Join(r.dir, outcomeFile))
	if err == nil && json.Unmarshal(b, &o) == nil {
		back()
		a.log.Info("run taken up", "run", r.Run, "lease", r.Lease)
		return a.deliver(life, r, o, a.startUpload(life, r, true))
	}
	failure := a.takeBack(life, r)
	back()
	if !exists(filepath.Join(r.dir, reportedFile)) {
		a.startUpload(life, r, true).drainWithin(reportUpload)
		if err := a.report(life, r, failure); err != nil {
			return err
		}
	}
	if failure == nil {
		return a.markDone(r)
	}
	a.working.Go(func() { a.retry(life, r) })
	return writeJSON(filepath.Join(r.dir, reportedFile), struct{}{})
}

// takeBack takes back what a cut-off run left. Its target is bad as long as that fails.
func (a *Agent) takeBack(life context.Context, r *run) error {
	if r.Run == "" {
		return nil // cut off before anything was begun
	}
	ctx, cancel := context.WithTimeout(life, recoverTimeout)
	defer cancel()
	err := a.o.Recover(ctx, r.Assignment, r.dir)
	a.mu.Lock()
	if err != nil {
		a.bad[r.Target] = r.Lease
	} else if a.bad[r.Target] == r.Lease {
		delete(a.bad, r.Target)
	}
	a.mu.Unlock()
	a.log.Warn("cut-off run taken back", "run", r.Run, "lease", r.Lease, "err", err)
	return err
}

// retry takes a cut-off run back that could not be so far, until it works or the runner stops; then the next process
// goes on.
func (a *Agent) retry(life context.Context, r *run) {
	for {
		select {
		case <-a.stopped:
			return
		case <-life.Done():
			return
		case <-time.After(recoverRetry):
		}
		if a.takeBack(life, r) != nil {
			continue
		}
		a.beatNow() // the target is good again
		if err := a.markDone(r); err != nil {
			a.log.Error("left-over run", "run", r.Run, "lease", r.Lease, "err", err)
		}
		return
	}
}

// prune removes the folders of runs that are done, the old ones and those above a number.
func (a *Agent) prune() {
	done, err := filepath.Glob(filepath.Join(a.runsDir(), "*", doneFile))
	if err != nil {
		return // the pattern is good
	}
	age := func(path string) time.Time {
		if st, err := os.Stat(path); err == nil {
			return st.ModTime()
		}
		return time.Time{}
	}
	slices.SortFunc(done, func(x, y string) int { return age(y).Compare(age(x)) })
	for i, path := range done {
		if i < keepRuns && time.Since(age(path)) < a.o.Keep {
			continue
		}
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			a.log.Warn("remove old run", "path", filepath.Dir(path), "err", err)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
