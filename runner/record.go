package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/internal/atomicfile"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/export"
)

// What a run leaves in its folder, beside results.EventsFile and the records of its consoles.
const (
	ResultsFile = "results.json"
	JUnitFile   = "junit.xml"
	PlanFile    = "plan.yaml"
	LAVAFile    = "lava-results.yaml"
	journalFile = "journal"
)

// record writes the events of a run and folds them.
type record struct {
	dir     string
	stop    func(error) // ends the run when the record cannot be kept
	observe func(results.Event)
	known   *results.KnownWatch
	skipped error // a timeout that the job skips

	mu   sync.Mutex
	f    *os.File
	seq  int64
	res  *results.Results
	lava *export.LAVA
	err  error
}

func newRecord(o Options, stop func(error)) (*record, error) {
	f, err := os.OpenFile(filepath.Join(o.Dir, results.EventsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	observe := o.Observe
	if observe == nil {
		observe = func(results.Event) {}
	}
	known := o.KnownFailures.Watch(o.Target.Name, o.Job.DeviceType)
	return &record{
		dir: o.Dir, stop: stop, observe: observe, known: known, f: f, res: results.NewResults(), lava: export.NewLAVA(o.ID),
	}, nil
}

// emit numbers, folds and writes one event. Events are written completely and in order.
func (r *record) emit(e results.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	e.Seq, e.Time = r.seq, time.Now().UTC()
	if e.Case != nil {
		r.known.Mark(e.Case)
	}
	r.res.Apply(e)
	r.lava.Apply(e)
	r.observe(e)
	b, err := json.Marshal(e)
	if err == nil && r.err == nil {
		_, err = r.f.Write(append(b, '\n'))
	}
	if err != nil && r.err == nil {
		r.err = results.Failf(results.ClassInfrastructure, "write the record: %w", err)
		r.stop(r.err)
	}
}

// failed is why the record is incomplete; nil when it is not.
func (r *record) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// findings are those recorded so far.
func (r *record) findings() []results.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.res.Findings)
}

// decide is the verdict on what was recorded.
func (r *record) decide(fail error) results.Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := results.Decide(fail, r.res.Cases, r.res.Findings...)
	switch {
	case v.Class == "":
		v = results.Decide(r.known.Stale(), r.res.Cases, r.res.Findings...)
	case fail == nil && r.skipped != nil && v.Class == results.ClassInfrastructure:
		// The skipped timeout is why results are missing.
		v = results.Decide(r.skipped, r.res.Cases, r.res.Findings...)
	}
	return v
}

// close writes the files that are made of the events, and returns the fold.
func (r *record) close() (*results.Results, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := json.Marshal(r.res)
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(r.dir, ResultsFile), 0o644, append(b, '\n'))
	}
	return r.res, errors.Join(r.err, err, r.writeJUnit(), r.writeLAVA(), r.f.Sync(), r.f.Close())
}

func (r *record) writeJUnit() error {
	return atomicfile.Write(filepath.Join(r.dir, JUnitFile), 0o644, func(w io.Writer) error {
		return export.JUnit(w, r.res)
	})
}

func (r *record) writeLAVA() error {
	return atomicfile.Write(filepath.Join(r.dir, LAVAFile), 0o644, r.lava.Write)
}
