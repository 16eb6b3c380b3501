package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
)

type validateCmd struct {
	Kind    string   `enum:"job,testdef,device,config,guess" default:"guess" help:"${kind_help}"`
	Lenient bool     `help:"Let unknown keys through, as LAVA does without --strict."`
	File    []string `arg:"" help:"Files."`
}

// Run checks every file that can be read. A file that cannot be read outweighs, in the exit code, one that is not
// valid.
func (c *validateCmd) Run(e *env) error {
	kind := config.FileKind(c.Kind)
	if c.Kind == "guess" {
		kind = ""
	}
	code := exitOK
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	for _, file := range c.File {
		src, err := readFile(file)
		if err != nil {
			_, _ = fmt.Fprintln(e.stderr, "gantry:", err)
			code = exitUsage
			continue
		}
		checked := config.Check(file, kind, src, mode(c.Lenient))
		if !checked.Valid && code == exitOK {
			code = exitNo
		}
		if e.json {
			err = enc.Encode(checked)
		} else {
			err = checked.WriteText(e.stdout)
		}
		if err != nil {
			return err
		}
	}
	if code != exitOK {
		return exit(code)
	}
	return nil
}

// readFile reads a file of the language, up to a byte more than its parser accepts.
func readFile(name string) (b []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err = io.ReadAll(io.LimitReader(f, schema.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return b, nil
}
