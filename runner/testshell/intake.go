package testshell

import (
	"bytes"
	"context"
	"time"

	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/console"
)

// What the console may still say when the manifest has come beside it: results that tests print by themselves go
// nowhere else. The output is over when the console has been quiet for quietWait, and quietWait after quietMax in any
// case: at 9600 baud the manifest of a hundred results takes 8 s.
const (
	quietWait = 5 * time.Second
	quietMax  = 30 * time.Second
)

// manifestWait is how long a repeated manifest may take: at 9600 baud a hundred results take 8 s.
const manifestWait = 30 * time.Second

// intake reads what a target reports in one run of a stage, from the console and from beside it. Its methods are called
// by one goroutine, which owns the parser and all that the parser calls; the goroutines that intake starts only read.
type intake struct {
	parser *signal.Parser
	end    end // of this wait: the first in order of those seen

	cursor  *console.Cursor
	reached func(offset int64) // called when the parser has what the console printed before it
	console chan read          // what the read under way will bring
	reading bool               // one is under way

	beside  chan []byte // what the device's record brings; nil where there is none, or no more comes
	stop    context.CancelFunc
	copies  copies
	quietAt time.Time // when the console will have been quiet long enough; zero while the manifest has not come

	manifestOnly bool // the last line of a manifest ends the wait
}

// read is what one read of the console brought.
type read struct {
	bytes []byte
	to    int64 // where in the record they end
	err   error
}

// newIntake reads the console from the cursor on. Report is called with each item that the parser finds, by the methods
// of the intake.
func newIntake(c *console.Cursor, o signal.Options, report func(signal.Item)) *intake {
	in := &intake{cursor: c, console: make(chan read, 1), stop: func() {}, reached: func(int64) {}}
	in.parser = signal.New(o, func(i signal.Item) {
		switch {
		case i.Raise != "":
			in.over(endRaised)
		case i.Exit:
			in.over(endExit)
		case i.Manifest && in.manifestOnly:
			in.over(endManifest)
		}
		report(i)
	})
	in.copies.parser = in.parser
	return in
}

// follow has the record of what comes beside the console read as well, from its present end until ctx ends or the
// intake is closed. The lines of this run begin with "@TOKEN ".
func (in *intake) follow(ctx context.Context, r *beside.Record, run token) {
	ctx, in.stop = context.WithCancel(ctx)
	in.copies.of(run)
	out, from := make(chan []byte), r.Size()
	in.beside = out
	go func() {
		defer close(out)
		r.Follow(ctx, from, func(b []byte) { out <- bytes.Clone(b) })
	}()
}

// close ends the reading of copies, and gives the parser those that are held back.
func (in *intake) close() {
	in.stop()
	for in.beside != nil {
		b, ok := <-in.beside
		in.addCopies(b, ok)
	}
	in.copies.releaseAll(time.Now())
}

// wait reads until the output is over, and reports why; the error is the cause of endConsole and endStopped. With
// manifestOnly no more than a manifest is to come, and that within manifestWait.
func (in *intake) wait(ctx context.Context, manifestOnly bool) (end, error) {
	in.begin(manifestOnly)
	var limit time.Time
	if manifestOnly {
		limit = time.Now().Add(manifestWait)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	quick, cancel := context.WithCancel(ctx)
	defer cancel()
	for in.end == endNone {
		in.read(quick)
		timer.Reset(time.Until(earliest(in.copies.due(), in.quietAt, limit)))
		select {
		case r := <-in.console:
			if in.addConsole(r); r.err != nil && in.end == endNone {
				return brokenEnd(ctx), r.err
			}
		case b, ok := <-in.beside:
			in.addCopies(b, ok)
		case <-timer.C:
			now := time.Now()
			in.copies.release(now)
			in.overAt(endQuiet, in.quietAt, now)
			in.overAt(endNoManifest, limit, now)
		}
	}
	cancel()
	in.drain(quick)
	return in.end, nil
}

// begin starts a wait.
func (in *intake) begin(manifestOnly bool) {
	in.end, in.manifestOnly, in.quietAt = endNone, manifestOnly, time.Time{}
	if in.copies.manifest != nil {
		in.quietAt = time.Now().Add(quietWait)
	}
}

// over says that the output is over.
func (in *intake) over(e end) {
	if in.end == endNone || e < in.end {
		in.end = e
	}
}

// overAt says so where a limit has come; the zero time is none.
func (in *intake) overAt(e end, limit, now time.Time) {
	if !limit.IsZero() && !now.Before(limit) {
		in.over(e)
	}
}

// brokenEnd is the end of output that broke off.
func brokenEnd(ctx context.Context) end {
	if ctx.Err() != nil {
		return endStopped
	}
	return endConsole
}

// earliest is the first of those times that are not zero; in an hour, where all are.
func earliest(times ...time.Time) time.Time {
	first := time.Now().Add(time.Hour)
	for _, t := range times {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// read has the console read, unless a read is under way.
func (in *intake) read(ctx context.Context) {
	if in.reading {
		return
	}
	in.reading = true
	go func() {
		b, err := in.cursor.Next(ctx)
		in.console <- read{b, in.cursor.Offset(), err}
	}()
}

// drain ends the read under way, whose ctx has ended, and takes what had arrived by then.
func (in *intake) drain(ctx context.Context) {
	for before := in.end; in.reading && in.end == before; {
		r := <-in.console
		if in.addConsole(r); r.err == nil && in.end == before {
			in.read(ctx)
		}
	}
}

// addConsole takes what a read brought. It keeps the console from being taken for quiet.
func (in *intake) addConsole(r read) {
	in.reading = false
	now := time.Now()
	in.parser.Feed(r.bytes, now)
	in.reached(r.to)
	if len(r.bytes) > 0 && !in.quietAt.IsZero() && now.Sub(in.copies.manifestAt) < quietMax {
		in.quietAt = now.Add(quietWait)
	}
}

// addCopies takes what the device's record brought; ok says that more may come.
func (in *intake) addCopies(b []byte, ok bool) {
	if !ok {
		in.beside = nil
		return
	}
	now := time.Now()
	in.copies.add(b, now)
	if in.copies.manifest != nil && in.quietAt.IsZero() {
		in.quietAt = now.Add(quietWait)
	}
}

// incomplete gives the parser all copies that have come, and reports whether results are missing all the same.
func (in *intake) incomplete() bool {
	for ready := true; ready; {
		select {
		case b, ok := <-in.beside:
			in.addCopies(b, ok)
		default:
			ready = false
		}
	}
	in.copies.releaseAll(time.Now())
	return in.parser.Incomplete()
}
