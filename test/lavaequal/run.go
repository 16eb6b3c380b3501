package lavaequal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Result is one case, as both tell it.
type Result struct {
	Suite       string
	Set         string `json:",omitempty"`
	Case        string
	Result      string
	Measurement string `json:",omitempty"`
	Units       string `json:",omitempty"`
}

func (r Result) String() string {
	s := r.Result
	if r.Set != "" {
		s += " in set " + r.Set
	}
	if r.Measurement != "" {
		s += " " + r.Measurement
	}
	if r.Units != "" {
		s += " " + r.Units
	}
	return s
}

// runs are the cases that stand for a suite.
var runs = regexp.MustCompile(`^[0-9]+_`)

// counts says whether a case is compared: the tests' own, and those that say how a suite went. The pipeline's steps are
// each dispatcher's own affair.
func (r Result) counts() bool { return r.Suite != "lava" || runs.MatchString(r.Case) }

// Outcome is what a dispatcher made of a job.
type Outcome struct {
	Results []Result
	Verdict string // "pass", or the verdict with whose fault it is, and why
	Took    time.Duration
	Repairs string // what gantry says of the lines that it read
}

// repairs is in the log of a run: "results: 240 cases, 0 missing, 3 put together again, …".
var repairs = regexp.MustCompile(`results: \d+ cases, (.*)`)

// lava runs a job on LAVA's dispatcher and reads the results off its log, which it leaves beside dir.
func lava(ctx context.Context, id int, device, job, dir string) (Outcome, error) {
	start := time.Now()
	cmd := exec.CommandContext(ctx, "lava-run", "--job-id", strconv.Itoa(id), "--output-dir", dir, "--device", device, job)
	out, err := cmd.CombinedOutput()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
		return Outcome{}, err
	}
	o := Outcome{Took: time.Since(start)}
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "lava.log"), out, 0o600); err != nil {
		return o, err
	}
	for line := range bytes.Lines(out) {
		var record struct {
			Level   string    `yaml:"lvl"`
			Message yaml.Node `yaml:"msg"`
		}
		if yaml.Unmarshal(line, &record) != nil || record.Level != "results" {
			continue
		}
		var m map[string]string
		if err := record.Message.Decode(fields(&m)); err != nil {
			return o, fmt.Errorf("read %s: %w", line, err)
		}
		r := Result{
			Suite: m["definition"], Set: m["set"], Case: m["case"], Result: m["result"], Measurement: number(m["measurement"]),
			Units: none(m["units"]),
		}
		switch {
		case r.counts():
			o.Results = append(o.Results, r)
		case r.Case == "job":
			o.Verdict = verdict(r.Result, m["error_type"], m["error_msg"])
		}
	}
	if o.Verdict == "" {
		return o, fmt.Errorf("no verdict:\n%s", out)
	}
	return o, nil
}

// verdict is one line: "fail (Test: lava-test-shell timed out after 30 seconds)".
func verdict(result, class, message string) string {
	if class == "" {
		return result
	}
	return fmt.Sprintf("%s (%s: %s)", result, class, strings.TrimSpace(message))
}

// scalars decodes a mapping's scalars as text, and passes over the rest.
type scalars struct{ dst *map[string]string }

func fields(dst *map[string]string) *scalars { return &scalars{dst} }

// UnmarshalYAML is what yaml calls.
func (s *scalars) UnmarshalYAML(n *yaml.Node) error {
	*s.dst = map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; v.Kind == yaml.ScalarNode {
			(*s.dst)[n.Content[i].Value] = v.Value
		}
	}
	return nil
}

// gantry runs a job here, and reads what it wrote in LAVA's format.
func gantry(ctx context.Context, device, job, dir string) (Outcome, error) {
	start := time.Now()
	cmd := exec.CommandContext(ctx, "gantry", "run", "--device", device, "--output-dir", dir, job)
	out, err := cmd.CombinedOutput()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
		return Outcome{}, err
	}
	o := Outcome{Took: time.Since(start)}
	var list []struct {
		Suite, Name, Result, Measurement, Unit string
		Metadata                               struct{ Set string }
	}
	var whole struct{ Verdict, Class, Message string }
	for name, dst := range map[string]any{"lava-results.yaml": &list, "results.json": &whole} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return o, fmt.Errorf("%w\n%s", err, out)
		}
		if err := yaml.Unmarshal(b, dst); err != nil {
			return o, fmt.Errorf("read %s: %w", name, err)
		}
	}
	o.Verdict = verdict(whole.Verdict, whole.Class, whole.Message)
	if m := repairs.FindSubmatch(out); m != nil {
		o.Repairs = string(m[1])
	}
	for _, c := range list {
		r := Result{
			Suite: c.Suite, Set: c.Metadata.Set, Case: c.Name, Result: c.Result, Measurement: number(c.Measurement),
			Units: c.Unit,
		}
		if r.counts() {
			o.Results = append(o.Results, r)
		}
	}
	if len(o.Results) == 0 {
		return o, fmt.Errorf("no results:\n%s", out)
	}
	return o, nil
}

// none is LAVA's way to write that there is none.
func none(s string) string {
	if s == "null" || strings.EqualFold(s, "none") {
		return ""
	}
	return s
}

// number is a measurement in one way of writing.
func number(s string) string {
	n, err := strconv.ParseFloat(none(s), 64)
	if err != nil {
		return none(s)
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}
