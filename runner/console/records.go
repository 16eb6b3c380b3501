package console

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/gantry-ci/gantry/results"
)

// Records are the records of an attempt's consoles: two files for each console, to which all its boots are appended.
// The methods may be called by several goroutines.
type Records struct {
	dir   string
	limit *Limit

	mu    sync.Mutex
	files map[string]files // by the console's name
}

// files are the record of one console.
type files struct {
	log   *os.File // the bytes
	times *os.File // when they came, a results.Arrival a line
}

// NewRecords keeps records in the folder dir. Limit is the most bytes that the consoles may print together, 0 for no
// limit.
func NewRecords(dir string, limit int64) *Records {
	return &Records{dir: dir, limit: NewLimit(limit), files: map[string]files{}}
}

// Open opens the record of a console, and makes an empty one where there is none.
func (r *Records) Open(name string) error {
	_, err := r.open(name)
	return err
}

// Start starts to read rw into the record of the console with that name. The Console must be closed before the Records.
func (r *Records) Start(name string, rw io.ReadWriteCloser, log *slog.Logger) (*Console, error) {
	f, err := r.open(name)
	if err != nil {
		return nil, err
	}
	return New(rw, f.log, Options{Name: name, Logger: log, Times: f.times, Limit: r.limit})
}

// open opens the files of a console, if they are not open already.
func (r *Records) open(name string) (f files, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.files[name]; ok {
		return f, nil
	}
	if name != "" && !results.ValidConsole(name) {
		return files{}, results.Failf(results.ClassBug, "open the console's record: %q is no name for one", name)
	}
	file := func(name string) (f *os.File) {
		if err == nil {
			f, err = os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
		}
		return f
	}
	f = files{log: file(results.ConsoleLog(name)), times: file(results.ConsoleTimes(name))}
	if err != nil {
		_ = f.close() // a file that is not open says so
		return files{}, results.Failf(results.ClassInfrastructure, "open the console's record: %w", err)
	}
	r.files[name] = f
	return f, nil
}

func (f files) close() error { return errors.Join(f.log.Close(), f.times.Close()) }

// Close closes the files.
func (r *Records) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for name, f := range r.files {
		if err := f.close(); err != nil {
			errs = append(errs, fmt.Errorf("close the record of console %q: %w", name, err))
		}
	}
	r.files = nil
	return errors.Join(errs...)
}
