package jobs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// seeds adds what users write, so that the fuzzer begins where it matters.
func seeds(f *testing.F, globs ...string) {
	f.Helper()
	for _, s := range []string{
		smoke, shortDevice, "a: &a [*a]\n", "a: {<<: [*b, {c: 1}]}\n", "\ufeffa: 12:30:45\r\n",
		"- - ? [a]\n  : b\n", "--- !!binary x\n...\n",
	} {
		f.Add([]byte(s))
	}
	for _, g := range globs {
		files, err := filepath.Glob(filepath.Join(corpus, g))
		if err != nil {
			f.Fatal(err)
		}
		for i, name := range files {
			if i%8 != 0 {
				continue
			}
			if b, err := os.ReadFile(name); err == nil && len(b) < 1<<14 {
				f.Add(b)
			}
		}
	}
}

// guard fails a reading that is slow for its size. The fuzzer's inputs are small.
func guard(t *testing.T, src []byte, read func() *schema.Report) {
	t.Helper()
	start := time.Now()
	r := read()
	if took := time.Since(start); took > 5*time.Second+time.Duration(len(src))*10*time.Microsecond {
		t.Errorf("%d bytes took %s", len(src), took)
	}
	lines := bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte("\r")) + bytes.Count(
		src, []byte("\u0085"),
	) + bytes.Count(src, []byte("\u2028")) + bytes.Count(src, []byte("\u2029")) + 1
	for _, p := range append(r.Errors, r.Warnings...) {
		if p.Line < 1 || p.Column < 1 || p.Line > lines+1 || p.Message == "" {
			t.Errorf("bad place or text in %d lines: %+v", lines, p)
		}
		if len(p.Message)+len(p.Found)+len(p.Path) > 1<<14 {
			t.Errorf("a problem of %d bytes", len(p.Message)+len(p.Found)+len(p.Path))
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func FuzzParseJob(f *testing.F) {
	seeds(f, "lava/jobs/*", "tuxlava/jobs/*")
	f.Fuzz(func(t *testing.T, src []byte) {
		var strict *jobs.Job
		guard(t, src, func() *schema.Report {
			j, r := jobs.ParseJob(src, schema.Strict)
			if (j != nil) != r.Valid() {
				t.Error("a job without a valid report, or the other way round")
			}
			strict = j
			return r
		})
		if lenient, r := jobs.ParseJob(src, schema.Lenient); strict != nil && lenient == nil {
			t.Errorf("valid only in strict mode: %v", r.Err())
		}
	})
}

func FuzzParseDevice(f *testing.F) {
	seeds(f, "lava/devices/*")
	f.Fuzz(func(t *testing.T, src []byte) {
		guard(t, src, func() *schema.Report {
			d, r := jobs.ParseDevice(src)
			if (d != nil) != r.Valid() {
				t.Error("a device without a valid report, or the other way round")
			}
			return r
		})
	})
}

func FuzzParseTestDefinition(f *testing.F) {
	seeds(f)
	f.Add(
		[]byte(
			"metadata: {format: Lava-Test Test Definition 1.0, name: a}\ninstall: {deps-debian: [a], git-repos: [{url: b}]}\n" +
				"parse: {fixupdict: {A: pass}}\nrun: {steps: [a]}\n",
		),
	)
	f.Fuzz(func(t *testing.T, src []byte) {
		guard(t, src, func() *schema.Report {
			d, r := jobs.ParseTestDefinition(src, schema.Strict)
			if (d != nil) != r.Valid() {
				t.Error("a definition without a valid report, or the other way round")
			}
			return r
		})
	})
}
