package cli

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// jobMode is how jobs are read: strictly, so that a typo is said and not left out.
const jobMode = schema.Strict

//go:embed defaults
var defaults embed.FS

// device reads a device file, or a built-in one where no file has the name.
func (e *env) device(name string) (*jobs.Device, error) {
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if b, e := defaults.ReadFile("defaults/" + name + ".yaml"); e == nil {
			src, err = b, nil
		}
	}
	if err != nil {
		return nil, usagef("read the device file: %w", err)
	}
	d, report := jobs.ParseDevice(src)
	if err := e.complain(name, report); err != nil || d == nil {
		return nil, errors.Join(err, exit(exitUsage))
	}
	if d.Name == "" {
		d.Name = name
	}
	return d, nil
}

// complain says on stderr what is wrong with a file; the error is stderr's.
func (e *env) complain(file string, r *schema.Report) error {
	for _, p := range r.Warnings {
		if _, err := fmt.Fprintf(e.stderr, "%s:%d:%d: warning: %s\n", file, p.Line, p.Column, p.Message); err != nil {
			return err
		}
	}
	for _, p := range r.Errors {
		if _, err := fmt.Fprintf(e.stderr, "%s:%d:%d: %s\n", file, p.Line, p.Column, p.Message); err != nil {
			return err
		}
	}
	return nil
}
