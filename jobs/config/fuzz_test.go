package config_test

import (
	"testing"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
)

// FuzzParseConfig also expands what it reads: every valid job with steps is a valid LAVA job.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(example))
	f.Add(
		[]byte(
			"version: 1\non: [push]\n" +
				"jobs: {a: {vm: {image: x, mode: fips=on}, matrix: {cpus: [1, 2], include: [{a: b}]}, " +
				"steps: [{name: n, run: \"a\\nb\", env: {A: 1}, timeout: 1m}]}}\n",
		),
	)
	f.Add(
		[]byte(
			"version: 1\non: {schedule: [{cron: 0 2 * * mon-fri}]}\ninputs: {l: {type: choice, options: [a]}}\n" +
				"jobs: {a: {board: {any: [x, y]}, write: {usb: 'https://e.org/a.gz'}, steps: [{run: x}]}}\n",
		),
	)
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		c, r := config.Parse(src)
		config.Guess("x.yaml", src)
		if took := time.Since(start); took > 5*time.Second+time.Duration(len(src))*10*time.Microsecond {
			t.Errorf("%d bytes took %s", len(src), took)
		}
		if (c != nil) != r.Valid() {
			t.Fatal("a config without a valid report, or the other way round")
		}
		if c == nil {
			return
		}
		for _, j := range c.Jobs {
			for _, v := range j.Variants()[:min(3, len(j.Variants()))] {
				if j.VM == nil && j.Board == nil {
					continue
				}
				out, err := j.Expand(v, config.Source{URL: "https://github.com/o/r.git", Commit: "main"})
				if err != nil {
					t.Errorf("expand: %v", err)
					continue
				}
				if _, r := jobs.ParseJob(out, schema.Strict); !r.Valid() {
					t.Errorf("%v\n%s", r.Err(), out)
				}
			}
		}
	})
}
