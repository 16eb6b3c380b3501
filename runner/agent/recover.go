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
	// recoverTimeout is for undoing one run: each undo of its journal has 30 s.
	recoverTimeout = 5 * time.Minute
	// reportUpload is how long uploading the rest of a cut-off run's streams may delay its report, for which the next
	// attempt waits.
	reportUpload = 5 * time.Second
	// recoverRetry is the wait before a failed undo is tried again: a PDU that reboots, a full disk.
	recoverRetry = time.Minute
)

// resume takes up the runs that an earlier process left, before the agent connects to the app. Cut-off runs are undone,
// all at the same time, since each has its own target. Uploads and reports go on in life.
func (a *Agent) resume(ctx, life context.Context) error {
	entries, err := os.ReadDir(a.runsDir())
	if err != nil {
		return fmt.Errorf("read run folders: %w", err)
	}
	var undoing sync.WaitGroup
	for _, e := range entries {
		r, err := a.unfinished(life, e.Name())
		if err != nil {
			a.log.ErrorContext(ctx, "resume run", "lease", e.Name(), "err", err)
		}
		if r == nil || !a.add(r) {
			continue
		}
		undone := make(chan struct{})
		undoing.Go(func() {
			select {
			case <-undone:
			case <-ctx.Done():
			}
		})
		go func() {
			defer a.remove(r)
			defer r.stop(nil)
			if err := a.resumeRun(life, r, func() { close(undone) }); err != nil {
				a.log.Error("resume run", "run", r.Run, "lease", r.Lease, "err", err)
			}
		}()
	}
	undoing.Wait()
	a.prune()
	return nil
}

// unfinished is the run of a folder, or nil if it is done.
func (a *Agent) unfinished(life context.Context, lease string) (*run, error) {
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

// resumeRun ends a run that an earlier process began. If it was executed to its end, its streams are uploaded and its
// outcome reported; if it was cut off, it is undone and reported as such. undone is called once the target is clean, or
// known not to be.
func (a *Agent) resumeRun(life context.Context, r *run, undone func()) error {
	undone = sync.OnceFunc(undone)
	defer undone()
	var o lab.Outcome
	b, err := os.ReadFile(filepath.Join(r.dir, outcomeFile))
	if err == nil && json.Unmarshal(b, &o) == nil {
		undone()
		a.log.Info("run resumed", "run", r.Run, "lease", r.Lease)
		return a.deliver(life, r, o, a.startUpload(life, r, true))
	}
	failure := a.undo(life, r)
	undone()
	if !exists(filepath.Join(r.dir, reportedFile)) {
		a.startUpload(life, r, true).drainWithin(reportUpload)
		if err := a.reportCutOff(life, r, failure); err != nil {
			return err
		}
	}
	if failure == nil {
		return a.markDone(r)
	}
	a.working.Go(func() { a.retry(life, r) })
	return writeJSON(filepath.Join(r.dir, reportedFile), struct{}{})
}

// undo undoes a cut-off run. Its target is bad for as long as that fails.
func (a *Agent) undo(life context.Context, r *run) error {
	if r.Run == "" {
		return nil // it was cut off before anything was begun
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
	a.log.Warn("cut-off run undone", "run", r.Run, "lease", r.Lease, "err", err)
	return err
}

// retry repeats the failed undo of a cut-off run until it succeeds or the runner stops; the next process then resumes.
func (a *Agent) retry(life context.Context, r *run) {
	for {
		select {
		case <-a.stopped:
			return
		case <-life.Done():
			return
		case <-time.After(recoverRetry):
		}
		if a.undo(life, r) != nil {
			continue
		}
		a.beatNow() // the target is good again
		if err := a.markDone(r); err != nil {
			a.log.Error("resume run", "run", r.Run, "lease", r.Lease, "err", err)
		}
		return
	}
}

// prune removes the folders of runs that are done: old ones, and those beyond keepRuns.
func (a *Agent) prune() {
	done, err := filepath.Glob(filepath.Join(a.runsDir(), "*", doneFile))
	if err != nil {
		return // impossible: the pattern is valid
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
