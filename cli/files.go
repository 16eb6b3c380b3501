package cli

import (
	"errors"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/runner/lab"
)

func mode(lenient bool) schema.Mode {
	if lenient {
		return schema.Lenient
	}
	return lab.JobMode
}

// device reads a device file, or, if no file has the name, a built-in one.
func (e *env) device(name string) (*jobs.Device, error) {
	src, err := lab.ReadDevice(name)
	if err != nil {
		return nil, usagef("read the device file: %w", err)
	}
	if ok, err := e.checkFile(name, config.KindDevice, src, schema.Strict); !ok {
		return nil, errors.Join(err, exit(exitUsage))
	}
	d, report := jobs.ParseDevice(src)
	if err := report.Err(); err != nil {
		return nil, usagef("read the device file: %w", err)
	}
	if d.Name == "" {
		d.Name = name
	}
	return d, nil
}

// checkFile prints to stderr what is wrong with a file. ok is true if it can be used nevertheless.
func (e *env) checkFile(file string, kind config.FileKind, src []byte, m schema.Mode) (ok bool, err error) {
	checked := config.Check(file, kind, src, m)
	return checked.Valid, checked.WriteText(e.stderr)
}
