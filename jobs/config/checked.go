package config

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// FileKind is what a file that users write is.
type FileKind string

// The kinds, as `gantry validate --kind` names them.
const (
	KindJob     FileKind = "job"     // a LAVA job definition
	KindTestdef FileKind = "testdef" // a Lava-Test test definition
	KindDevice  FileKind = "device"  // LAVA's rendered device file, or the short form
	KindConfig  FileKind = "config"  // .github/gantry.yml
)

// Checked is what `gantry validate` says of a file.
type Checked struct {
	File     string           `json:"file"`
	Kind     FileKind         `json:"kind"`
	Valid    bool             `json:"valid"`
	Errors   []schema.Problem `json:"errors"`
	Warnings []schema.Problem `json:"warnings"`
}

// Check reads a file of any kind; the kind is guessed when it is "".
func Check(file string, kind FileKind, src []byte, mode schema.Mode) *Checked {
	if kind == "" {
		kind = Guess(file, src)
	}
	var r *schema.Report
	switch kind {
	case KindTestdef:
		_, r = jobs.ParseTestDefinition(src, mode)
	case KindDevice:
		_, r = jobs.ParseDevice(src)
	case KindConfig:
		_, r = Parse(src)
	default:
		kind = KindJob
		_, r = jobs.ParseJob(src, mode)
	}
	c := &Checked{File: file, Kind: kind, Valid: r.Valid(), Errors: r.Errors, Warnings: r.Warnings}
	if c.Errors == nil {
		c.Errors = []schema.Problem{}
	}
	if c.Warnings == nil {
		c.Warnings = []schema.Problem{}
	}
	return c
}

// Guess recognizes a file's kind by its name and by the keys that only one kind has. A file without either is a job.
func Guess(file string, src []byte) FileKind {
	if base := filepath.Base(file); base == "gantry.yml" || base == "gantry.yaml" {
		return KindConfig
	}
	n, _ := schema.Parse(src, schema.YAML12)
	if n == nil {
		n, _ = schema.Parse(src, schema.YAML11)
	}
	has := func(keys ...string) int {
		count := 0
		for _, k := range keys {
			if n != nil && n.Get(k) != nil {
				count++
			}
		}
		return count
	}
	best, most := KindJob, has("job_name", "timeouts", "actions", "visibility", "device_type", "priority", "protocols")
	for _, k := range []struct {
		kind FileKind
		n    int
	}{
		{KindTestdef, 2 * has("metadata", "run", "install", "parse")},
		{
			KindDevice,
			max(
				2*has("constants", "parameters", "commands", "character_delays")+has("actions", "timeouts"),
				has("name", "type", "power", "console", "storage", "usb", "boot", "trust", "tags"),
			),
		},
		{KindConfig, 2 * has("version", "on", "jobs", "forks", "required", "known-failures")},
	} {
		if k.n > most {
			best, most = k.kind, k.n
		}
	}
	return best
}

// WriteText writes file:line:col: message, with the line under it, for each problem. A valid file without warnings
// prints nothing.
func (c *Checked) WriteText(w io.Writer) error {
	var b bytes.Buffer
	for _, p := range c.Errors {
		c.text(&b, p, "")
	}
	for _, p := range c.Warnings {
		c.text(&b, p, "warning: ")
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (c *Checked) text(b *bytes.Buffer, p schema.Problem, prefix string) {
	fmt.Fprintf(b, "%s:%d:%d: %s", c.File, p.Line, p.Column, prefix)
	if p.Path != "" {
		b.WriteString(plaintext.Printable(p.Path, "") + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(b, "; did you mean %q?", p.Suggestion)
	}
	b.WriteByte('\n')
	if strings.TrimSpace(p.Excerpt) == "" {
		return
	}
	number := fmt.Sprintf("%5d | ", p.Line)
	fmt.Fprintf(
		b, "%s%s\n%s^\n", number, plaintext.Printable(p.Excerpt, "\t"),
		strings.Repeat(" ", len(number)-2)+"| "+indent(p.Excerpt, p.Column),
	)
}

// indent is as wide as the line before the column; tabs stay tabs.
func indent(line string, column int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= column-1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
