package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/internal/atomicfile"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/results"
)

// Files of a run's folder, beside its streams.
const (
	assignmentFile = "assignment.json"
	outcomeFile    = "outcome.json"
	reportedFile   = "reported"
	doneFile       = "done"
)

var errLeaseLost = errors.New("the lease is lost")

// run is an assignment that this process holds, from its arrival until the app knows how it ended.
type run struct {
	lab.Assignment
	dir  string
	slot chan struct{} // of its target

	stop context.CancelCauseFunc
	once sync.Once
	lost chan struct{} // closed when the lease is lost: the app wants no more reports
}

// newRun makes a run, and the context that ends when it must stop.
func (a *Agent) newRun(life context.Context, as lab.Assignment) (context.Context, *run) {
	r := &run{Assignment: as, dir: filepath.Join(a.runsDir(), as.Lease), lost: make(chan struct{})}
	ctx, stop := context.WithCancelCause(life)
	r.stop = stop
	return ctx, r
}

// lose stops the run because its lease is lost: another attempt may have begun elsewhere.
func (r *run) lose() {
	r.once.Do(func() {
		close(r.lost)
		r.stop(results.Blame(results.ClassInfrastructure, errLeaseLost))
	})
}

func (r *run) isLost() bool {
	select {
	case <-r.lost:
		return true
	default:
		return false
	}
}

// assign begins a run. An assignment that is sent again has no effect.
func (a *Agent) assign(life context.Context, as lab.Assignment) {
	if !validLease(as.Lease) {
		a.log.Error("assignment refused", "lease", as.Lease, "why", "not the name of a lease")
		return
	}
	ctx, r := a.newRun(life, as)
	if !a.add(r) {
		r.stop(nil)
		return
	}
	a.beatNow() // it accepts the lease
	a.log.Info("run assigned", "run", as.Run, "attempt", as.Attempt, "target", as.Target, "lease", as.Lease)
	go func() {
		defer a.remove(r)
		defer r.stop(nil)
		if err := a.serve(ctx, life, r); err != nil {
			a.log.Error("run ended", "run", as.Run, "lease", as.Lease, "err", err)
		}
		a.prune()
	}()
}

// validLease reports whether the id of a lease can be the name of a folder and of a guest.
func validLease(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && r != '-'
	})
}

// serve executes a run in ctx. Uploads and the report of the outcome go on in life.
func (a *Agent) serve(ctx, life context.Context, r *run) error {
	switch _, err := os.Stat(r.dir); {
	case err == nil: // an earlier process crashed, and its report was never sent or got lost
		return a.resumeRun(life, r, func() {})
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if why := a.refusal(r.Assignment); why != "" {
		return a.finish(
			life, r,
			outcomeOf(r, results.Results{}, results.Failf(results.ClassInfrastructure, "the runner refuses the run: %s", why)),
		)
	}
	select {
	case r.slot <- struct{}{}:
	case <-ctx.Done(): // an earlier run has occupied the target until now
		return a.finish(life, r, outcomeOf(r, results.Results{}, context.Cause(ctx)))
	}
	o, up := a.execute(ctx, life, r)
	<-r.slot
	return a.deliver(life, r, o, up)
}

// execute executes the run, with an uploader beside it, and writes the outcome to the folder. Even if that fails, on a
// full disk, the outcome is returned to be reported.
func (a *Agent) execute(ctx, life context.Context, r *run) (lab.Outcome, *uploader) {
	err := os.Mkdir(r.dir, 0o700)
	if err == nil {
		err = errors.Join(atomicfile.SyncDir(a.runsDir()), writeJSON(filepath.Join(r.dir, assignmentFile), r.Assignment))
	}
	if err != nil {
		return outcomeOf(r, results.Results{}, results.Failf(results.ClassInfrastructure, "make run folder: %w", err)), nil
	}
	up := a.startUpload(life, r, false)
	res, err := a.o.Execute(ctx, r.Assignment, r.dir)
	o := outcomeOf(r, res, err)
	a.log.Info(
		"run executed", "run", r.Run, "attempt", r.Attempt, "verdict", o.Verdict, "class", o.Class, "message", o.Message,
	)
	if err := writeJSON(filepath.Join(r.dir, outcomeFile), o); err != nil {
		a.log.Error("write outcome", "run", r.Run, "err", err)
	}
	return o, up
}

// deliver waits for the uploads, and reports the outcome.
func (a *Agent) deliver(life context.Context, r *run, o lab.Outcome, up *uploader) error {
	if up != nil {
		up.drain()
	}
	return a.finish(life, r, o)
}

// refusal is why the runner refuses the assignment, or "": the app may be compromised.
func (a *Agent) refusal(as lab.Assignment) string {
	if !lab.Allowed(a.o.Repositories, as.Source.Repository) {
		return fmt.Sprintf("repository %q is not on its allow-list", as.Source.Repository)
	}
	for _, t := range a.o.Targets() {
		if t.Name != as.Target {
			continue
		}
		if !as.Trust.Reaches(t.Trust) {
			return fmt.Sprintf("target %q wants trust %s, the run has %s", t.Name, t.Trust, as.Trust)
		}
		return ""
	}
	return fmt.Sprintf("it has no target %q", as.Target)
}

// outcomeOf is how an execution ended, as it is reported to the app.
func outcomeOf(r *run, res results.Results, err error) lab.Outcome {
	v := res.Verdict
	if err != nil && (v.Verdict == "" || v.Verdict == results.VerdictPass) {
		v = results.Decide(err, res.Cases)
	}
	if v.Verdict == "" {
		v = results.Decide(results.Failf(results.ClassBug, "the execution ended without a verdict"), nil)
	}
	o := lab.Outcome{
		Lease: r.Lease, Verdict: v.Verdict, Class: string(v.Class), Message: v.Message, Complete: v.Complete,
		Sizes: map[lab.Stream]int64{},
	}
	all, _ := streams(r.dir) // without those of further consoles the app takes what it has of them
	for _, s := range all {
		if st, err := os.Stat(filepath.Join(r.dir, s.File())); err == nil {
			o.Sizes[s] = st.Size()
		}
	}
	return o
}

// finish reports the outcome until the app has it, or says that the lease is lost.
func (a *Agent) finish(ctx context.Context, r *run, o lab.Outcome) error {
	err := a.report(ctx, r, "finish", func(ctx context.Context) error {
		_, err := a.client.Finish(ctx, rpc.PutOutcome(o))
		return err
	})
	if err != nil {
		return err
	}
	return a.markDone(r)
}

// report makes a call about the run's lease until it succeeds. If the lease is lost, the app wants no report: that is
// no error.
func (a *Agent) report(ctx context.Context, r *run, what string, call func(context.Context) error) error {
	for n := 0; !r.isLost(); n++ {
		try, cancel := context.WithTimeout(ctx, callTimeout)
		err := call(try)
		cancel()
		switch connect.CodeOf(err) {
		case connect.CodeFailedPrecondition:
			r.lose()
			return nil
		case connect.CodeInvalidArgument:
			return fmt.Errorf("%s: %w", what, err)
		}
		if err == nil {
			return nil
		}
		a.log.Warn("report to app", "call", what, "run", r.Run, "err", err)
		if !a.wait(ctx, n) {
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}

// markDone records that nothing remains to be done. A run that was refused has no folder.
func (a *Agent) markDone(r *run) error {
	if _, err := os.Stat(r.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return writeJSON(filepath.Join(r.dir, doneFile), struct {
		Lost bool `json:"lost,omitempty"`
	}{r.isLost()})
}

// reportCutOff reports that a crash cut the run off, and what could not be undone.
func (a *Agent) reportCutOff(ctx context.Context, r *run, failure error) error {
	req := &gantryv1.ReportRequest{Lease: r.Lease, Message: "what its journal lists was undone"}
	if failure != nil {
		req.Error = lab.Clip(failure.Error())
	}
	return a.report(ctx, r, "report", func(ctx context.Context) error {
		_, err := a.client.Report(ctx, req)
		return err
	})
}
