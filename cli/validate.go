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
	Kind    string   `enum:"job,testdef,device,config,guess" default:"guess" help:"What the files are: job, testdef, device or config; guessed when not given."`
	Lenient bool     `help:"Let unknown keys through, as LAVA does without --strict."`
	File    []string `arg:"" help:"Files."`
}

// Run checks every file that can be read. What cannot be read outweighs what is not valid.
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

// readFile reads a file of the language; a larger one is refused by its parser, and only that much is read of it.
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
