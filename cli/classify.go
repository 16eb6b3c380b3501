package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/gantry-ci/gantry/results/kernlog"
)

type classifyCmd struct {
	Log []string `arg:"" help:"Console logs; - is the standard input."`
}

// finding is a line of gantry classify --format=json.
type finding struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Fatal bool   `json:"fatal"`
}

// Run reads every log that can be read, and reports those that cannot.
func (c *classifyCmd) Run(e *env) error {
	var errs []error
	for _, file := range c.Log {
		if err := c.classify(e, file); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return usagef("%w", err)
	}
	return nil
}

func (c *classifyCmd) classify(e *env, file string) (err error) {
	path := file
	if file == "-" {
		path = "/dev/stdin"
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	found, err := kernlog.Classify(f)
	if err != nil {
		return fmt.Errorf("read the log %s: %w", file, err)
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	for _, x := range found {
		if e.json {
			err = enc.Encode(finding{file, x.Line, x.Kind, x.Title, x.Fatal})
		} else {
			_, err = fmt.Fprintf(e.stdout, "%s:%d: %s\n", file, x.Line, x.Title)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
