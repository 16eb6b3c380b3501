package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gantry-ci/gantry/app/queue"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// Finish ends an attempt with the outcome that its runner reports. Repeating it does no harm; a lease that the runner
// has lost is store.ErrLeaseLost.
func (s *Scheduler) Finish(ctx context.Context, runner string, o lab.Outcome) error {
	l, end, err := s.end(ctx, runner, o.Lease, func(l store.Lease) (store.End, error) { return s.finished(l, o) })
	if err == nil && l.ID != "" {
		s.log.InfoContext(ctx, "attempt ended", "run", l.RunID, "attempt", l.Attempt,
			"verdict", end.Verdict.Verdict, "class", string(end.Verdict.Class))
	}
	return err
}

// CutOff ends an attempt that a crash of its runner cut off. found says what the runner found and undid, left what it
// could not undo; with any left, the target is bad. Repeating it does no harm; a lease that the runner has lost is
// store.ErrLeaseLost.
func (s *Scheduler) CutOff(ctx context.Context, runner, lease, found, left string) error {
	why := "the runner was restarted during the run: " + found
	if left != "" {
		why += "; not undone: " + left
	}
	l, _, err := s.end(ctx, runner, lease, func(l store.Lease) (store.End, error) {
		end := s.interrupted(l, why)
		end.Bad = left != ""
		return end, nil
	})
	if err == nil {
		s.log.WarnContext(ctx, "attempt cut off", "run", l.RunID, "attempt", l.Attempt, "runner", runner,
			"found", lab.Clip(found), "left", lab.Clip(left))
	}
	return err
}

// end ends the attempt of a lease as how says. A lease that the runner does not hold is left to the store, which knows
// whether the runner has released it before.
func (s *Scheduler) end(
	ctx context.Context, runner, lease string, how func(store.Lease) (store.End, error),
) (l store.Lease, end store.End, err error) {
	l, err = s.store.HeldLease(ctx, runner, lease)
	if err == nil {
		end, err = how(l)
	} else if errors.Is(err, store.ErrLeaseLost) {
		err = nil
	}
	if err == nil {
		err = s.store.EndLease(ctx, runner, lease, end)
	}
	return l, end, err
}

// finished is the end of an attempt of which the runner reports o, checked against the record that arrived.
func (s *Scheduler) finished(l store.Lease, o lab.Outcome) (store.End, error) {
	sizes, err := s.sync(l)
	if err != nil {
		return store.End{}, err
	}
	res, gaps, err := s.blobs.Results(l.RunID, l.Attempt)
	if err != nil {
		return store.End{}, err
	}
	// The events are the record. A console that is cut is worth a warning only.
	for stream, has := range sizes {
		if whole := o.Sizes[stream]; stream.Kind() == lab.Console && has < whole {
			s.log.Warn(
				"console cut", "run", l.RunID, "attempt", l.Attempt, "console", stream.Further(), "bytes", has, "of", whole,
			)
		}
	}
	res.Verdict = queue.Verdict(o, queue.Record{
		Verdict: res.Verdict, Size: sizes[lab.Events], Whole: o.Sizes[lab.Events], Gaps: gaps,
	})
	b, err := json.Marshal(res)
	if err != nil {
		return store.End{}, fmt.Errorf("write results: %w", err)
	}
	return store.End{Verdict: res.Verdict, Results: b}, nil
}

// sync has all streams of an attempt survive a power cut, and returns their sizes.
func (s *Scheduler) sync(l store.Lease) (map[lab.Stream]int64, error) {
	further, err := s.blobs.Consoles(l.RunID, l.Attempt)
	if err != nil {
		return nil, err
	}
	all := lab.Streams()
	for _, name := range further {
		all = append(all, lab.ConsoleStreams(name)...)
	}
	sizes := map[lab.Stream]int64{}
	for _, stream := range all {
		if sizes[stream], err = s.blobs.Sync(l.RunID, l.Attempt, stream); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

// interrupted is the end of an attempt that the lab spoiled, with the results that arrived before.
func (s *Scheduler) interrupted(l store.Lease, why string) store.End {
	end := store.End{Verdict: queue.Interrupted(why)}
	res, _, err := s.blobs.Results(l.RunID, l.Attempt)
	if err != nil {
		s.log.Error("read results of a lost attempt", "run", l.RunID, "attempt", l.Attempt, "err", err)
		res = results.NewResults()
	}
	res.Verdict = end.Verdict
	if end.Results, err = json.Marshal(res); err != nil {
		s.log.Error("write results of a lost attempt", "run", l.RunID, "attempt", l.Attempt, "err", err)
	}
	return end
}
