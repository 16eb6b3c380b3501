package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
)

func TestCheck(t *testing.T) {
	src := "job_name: x\ntimeouts: {job: {minutes: 1}}\nvisibility: public\ndevice_type: qemu\nactions:\n- deploy:\n" +
		"    to: tmpfs\n    images:\n      kernel: {ulr: a, \"é\": 1}\n"
	c := config.Check("a.yaml", "", []byte(src), schema.Strict)
	var text bytes.Buffer
	if err := c.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	wantText := `a.yaml:9:16: actions[0].deploy.images.kernel.ulr: the key "ulr" is not known here; did you mean "url"?
    9 |       kernel: {ulr: a, "é": 1}
      |                ^
a.yaml:9:24: actions[0].deploy.images.kernel.é: the key "é" is not known here
    9 |       kernel: {ulr: a, "é": 1}
      |                        ^
a.yaml:9:15: actions[0].deploy.images.kernel.url: the key "url" is missing
    9 |       kernel: {ulr: a, "é": 1}
      |               ^
`
	if diff := cmp.Diff(wantText, text.String()); diff != "" {
		t.Error(diff)
	}
	const keys = "one of url, headers, compression, archive, md5sum, sha256sum, sha512sum, use_cache, image_arg"
	want := &config.Checked{File: "a.yaml", Kind: config.KindJob, Warnings: []schema.Problem{}, Errors: []schema.Problem{
		{
			Line: 9, Column: 16, Path: "actions[0].deploy.images.kernel.ulr", Message: `the key "ulr" is not known here`,
			Found: `key "ulr"`, Expected: keys, Suggestion: "url",
		},
		{
			Line: 9, Column: 24, Path: "actions[0].deploy.images.kernel.é", Message: `the key "é" is not known here`,
			Found: `key "é"`, Expected: keys,
		},
		{
			Line: 9, Column: 15, Path: "actions[0].deploy.images.kernel.url", Message: `the key "url" is missing`,
			Expected: "a string",
		},
	}}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreFields(schema.Problem{}, "Excerpt")); diff != "" { // the text has it
		t.Error(diff)
	}
	c.Errors = c.Errors[1:2]
	b, err := json.Marshal(c) // as gantry validate --format=json does
	wantJSON := `{"file":"a.yaml","kind":"job","valid":false,"errors":[` +
		`{"line":9,"column":24,"path":"actions[0].deploy.images.kernel.é","message":"the key \"é\" is not known here",` +
		`"found":"key \"é\"","expected":"` + keys + `","suggestion":""}],"warnings":[]}`
	if diff := cmp.Diff(wantJSON, string(b)); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestGuess(t *testing.T) {
	for src, want := range map[string]config.FileKind{
		example:                                 config.KindConfig,
		"metadata: {format: x}\nrun: {}\n":      config.KindTestdef,
		"name: a\ntype: b\nconsole: []\n":       config.KindDevice,
		"constants: {}\nactions: {}\n":          config.KindDevice,
		"job_name: a\nactions: []\n":            config.KindJob,
		"":                                      config.KindJob,
		"a: [":                                  config.KindJob,
		"version: 1\non: push\njobs: {a: {}}\n": config.KindConfig,
	} {
		if got := config.Guess("x.yaml", []byte(src)); got != want {
			t.Errorf("%.30q: %s, want %s", src, got, want)
		}
	}
	for glob, want := range map[string]config.FileKind{
		"lava/jobs/*": config.KindJob, "tuxlava/jobs/*": config.KindJob,
		"lava/devices/*": config.KindDevice, "mutated/*.yaml": config.KindJob,
	} {
		files, err := filepath.Glob(filepath.Join("../../../shared/corpus", glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if got := config.Guess(f, src); got != want {
				t.Errorf("%s: %s, want %s", f, got, want)
			}
		}
	}
}

func TestCheckSyntax(t *testing.T) {
	c := config.Check("x", config.KindJob, []byte("a: 'b\n"), schema.Strict)
	if c.Valid || len(c.Errors) != 1 || !strings.HasPrefix(c.Errors[0].Message, "not YAML: ") {
		t.Error(c)
	}
}
