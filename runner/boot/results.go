package boot

import (
	"context"
	"errors"

	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// listen records what the target sends by its results device, where it has one. The console has the results, too, so an
// error is only logged. Name is the guest's, and before is the record of an earlier boot.
func listen(ctx context.Context, r *plan.Run, name string, t dut.Results, before *beside.Record) *beside.Record {
	if before != nil { // its guest is gone; the new one goes on with the record
		_ = before.Close()
	}
	if t == nil {
		return nil
	}
	p, err := record(ctx, r, name, t)
	if err != nil {
		r.Logf("warning", "the results device is not used: %v", err)
		return nil
	}
	r.Journal.Defer(func() error {
		if n := p.Dropped(); n > 0 {
			r.Logf("warning", "the results device sent more than is kept: %d bytes were dropped", n)
		}
		return p.Close()
	})
	return p
}

func record(ctx context.Context, r *plan.Run, name string, t dut.Results) (*beside.Record, error) {
	rw, err := t.OpenResults(ctx)
	if err != nil {
		return nil, err
	}
	p, err := beside.OpenRecord(r.Dir, rw, beside.RecordOptions{Name: name, Logger: r.Logger})
	if err != nil {
		return nil, errors.Join(err, rw.Close())
	}
	return p, nil
}
