package boot

import (
	"context"
	"errors"

	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
)

// port is the results port of one boot of a guest, and the record of what comes by it.
type port struct{ record *beside.Record }

// expect makes the port of a boot that is to come. It is called before the guest is switched on, so that the record is
// finished after the guest is switched off: the guest may have sent results shortly before that nobody has read yet.
func expect(r *plan.Run) *port {
	p := &port{}
	r.Journal.Defer(func() error { return p.finish(r) })
	return p
}

// open records what the target sends by its results device, where it has one. The console has the results, too, so an
// error is only logged. Name is the guest's.
func (p *port) open(ctx context.Context, r *plan.Run, name string, t dut.ResultsPort) {
	if t == nil {
		return
	}
	rw, err := t.OpenResults(ctx)
	if err == nil {
		p.record, err = beside.OpenRecord(r.Dir, rw, beside.RecordOptions{Name: name, Logger: r.Logger})
		if err != nil {
			err = errors.Join(err, rw.Close())
		}
	}
	if err != nil {
		r.Logf("warning", "the results device is not used: %v", err)
	}
}

// finish closes the record of a guest that is off. It may be called twice.
func (p *port) finish(r *plan.Run) error {
	record := p.record
	if record == nil {
		return nil
	}
	p.record = nil
	err := record.Finish()
	if n := record.Dropped(); n > 0 {
		r.Logf("warning", "the results device sent more than is kept: %d bytes were dropped", n)
	}
	return err
}
