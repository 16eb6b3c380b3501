package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/jobs/config"
)

const example = `version: 1
on:
  pull_request: {branches: [main], paths: ["src/**", "!src/doc/**"], labels: [hw]}
  workflow_run: {workflows: ["Build on PR"]}
  merge_group: {}
  schedule: "0 2 * * *"
forks: contributors
known-failures: .github/known-failures.yaml
defaults: {timeout: 30m, queue-timeout: 6h, retry: {infrastructure: 1, tests: 0}}
jobs:
  smoke:  {lava: ci/smoke.yaml}
  boards: {board: {type: [rpi4, bbb], tags: [sdmux]},
           write: {sd: "artifact:image.wic.zst"},
           steps: [{run: ./ci/hw.sh}]}
  modes:  {vm: {image: debian-12, kernel: "artifact:bzImage", symbols: "artifact:vmlinux", memory: 2G},
           matrix: {mode: [selinux=enforcing, fips=on]},
           steps: [{run: make check}]}
  lab:    {jobs-from: "artifact:lava-*/**.yaml", needs: {modes: same-device}}
required: [smoke, boards]
`

func TestParse(t *testing.T) {
	c, r := config.Parse([]byte(example))
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	var names []string
	for _, j := range c.Jobs {
		names = append(names, j.Name)
	}
	smoke, boards, modes, lab := c.Jobs[0], c.Jobs[1], c.Jobs[2], c.Jobs[3]
	got := []any{
		names, smoke.Lava.String(), smoke.Line, smoke.Timeout, smoke.QueueTimeout, smoke.Retry, smoke.Forks,
		smoke.KnownFailures,
		boards.Board.Types, boards.Board.Tags, boards.Write[0].To, boards.Write[0].From.Artifact, boards.Steps[0].Run,
		modes.VM.Kernel.String(), modes.Matrix.Combinations(), lab.JobsFrom.Artifact, lab.JobsFrom.Path, lab.Needs[0].Job,
		lab.Needs[0].SameDevice,
		c.On.PullRequest.Labels, c.On.Schedule, c.On.MergeGroup != nil, c.On.Push == nil, c.Required,
	}
	want := []any{
		[]string{"smoke", "boards", "modes", "lab"},
		"ci/smoke.yaml", 11, 30 * time.Minute, 6 * time.Hour,
		config.Retry{Infrastructure: 1},
		"contributors", ".github/known-failures.yaml",
		[]string{"rpi4", "bbb"},
		[]string{"sdmux"},
		"sd", "image.wic.zst", "./ci/hw.sh",
		"artifact:bzImage",
		[]map[string]string{{"mode": "selinux=enforcing"}, {"mode": "fips=on"}},
		"lava-*", "**.yaml", "modes", true,
		[]string{"hw"},
		[]string{"0 2 * * *"},
		true, true,
		[]string{"smoke", "boards"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"unknown and missing keys", "version: 1\non: push\njobs: {a: {lvaa: x.yaml}}\n", []string{
			`3:12: jobs.a.lvaa: the key "lvaa" is not known here; did you mean "lava"?`,
		}},
		{"duplicate key", "version: 1\non: push\njobs: {a: {lava: x.yaml}}\nversion: 1\n", []string{
			`4:1: version: the key "version" is already on line 1`,
		}},
		{"on is a string in YAML 1.2", "version: 1\nyes: push\njobs: {a: {lava: x.yaml}}\n", []string{
			`2:1: yes: the key "yes" is not known here`, `1:1: on: the key "on" is missing`,
		}},
		{"two kinds", "version: 1\non: push\njobs: {a: {lava: x.yaml, vm: {image: x}}}\n", []string{
			`3:26: jobs.a.vm: "lava" and "vm" exclude each other`,
		}},
		{"no kind", "version: 1\non: push\njobs: {a: {}}\n", []string{
			`3:11: jobs.a.lava: nothing says what the job runs`,
		}},
		{"symbols of a definition", "version: 1\non: push\njobs: {a: {lava: x.yaml, symbols: https://x/vmlinux}}\n", []string{
			`3:35: jobs.a.symbols: a LAVA job names its symbols itself, in metadata: {gantry: {symbols: …}}`,
		}},
		{"circle", "version: 1\non: push\njobs:\n  a: {lava: x.yaml, needs: b}\n  b: {lava: y.yaml, needs: [a]}\n", []string{
			`4:28: jobs.a.needs: the job "a" needs itself, by way of "b"`,
			`5:29: jobs.b.needs: the job "b" needs itself, by way of "a"`,
		}},
		{"path outside", "version: 1\non: push\njobs: {a: {lava: ../x.yaml}}\n", []string{
			`3:18: jobs.a.lava: "../x.yaml" is neither artifact:NAME, nor a URL, nor a path below the repository's root`,
		}},
		{"durations", "version: 1\non: push\ndefaults: {timeout: 30}\njobs: {a: {lava: x.yaml}}\n", []string{
			`3:21: defaults.timeout: "30" is no length of time; write it like 30m, 1h30m or 2d`,
		}},
		{"cron", "version: 1\non: {schedule: 0 25 * * *}\njobs: {a: {lava: x.yaml}}\n", []string{
			`2:16: on.schedule: "0 25 * * *" is no cron expression: hour: "25" is not between 0 and 23`,
		}},
		{"required", "version: 1\non: push\njobs: {a: {lava: x.yaml}}\nrequired: [a, b]\n", []string{
			`4:15: required[1]: there is no job "b"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, r := config.Parse([]byte(tt.src))
			var got []string
			for _, p := range r.Errors {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
