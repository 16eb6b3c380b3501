package jobs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

const head = "job_name: x\ndevice_type: qemu\nvisibility: public\ntimeouts: {job: {minutes: 5}}\n"

// TestLanguage holds what is said of jobs that are wrong; the lines before them are head's four.
func TestLanguage(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		mode      schema.Mode
		want      []string
	}{
		{"a good one", head + "actions:\n- boot: {method: minimal}\n", schema.Strict, nil},
		{
			"an unknown key is let through in lenient mode",
			head + "surprise: 1\nactions:\n- boot: {method: minimal, surprise: 1}\n", schema.Lenient, nil,
		},
		{"an unknown method", head + "actions:\n- boot: {method: qmu}\n", schema.Lenient, []string{
			`6:18: actions[0].boot.method: there is no boot method of this name; did you mean "qemu"?`,
		}},
		{"an unknown section", head + "actions:\n- boott: {method: qemu}\n", schema.Strict, []string{
			`6:3: actions[0].boott: expected one of boot, command, deploy, test, found string "boott"; did you mean "boot"?`,
		}},
		{"two sections", head + "actions:\n- boot: {method: minimal}\n  test: {definitions: []}\n", schema.Lenient, []string{
			`6:3: actions[0]: an action is one thing, but this has boot and test; is a - missing?`,
		}},
		{"a test of no kind", head + "actions:\n- test: {definition: []}\n", schema.Strict, []string{
			`6:3: actions[0].test: there is no such kind of test; did you mean "definitions"?`,
		}},
		{"inline definitions", head +
			"actions:\n- test:\n    definitions:\n" +
			"    - {from: inline, name: a, path: b, repository: {metadata: {format: Lava-Test Test " +
			"Definition 1.0}}}\n", schema.Strict, []string{
			`8:63: actions[0].test.definitions[0].repository.metadata.name: the key "name" is missing`,
		}},
		{"the place of a fault in inline definitions", head +
			"actions:\n- test:\n    definitions:\n    - from: inline\n      name: a\n      path: b\n" +
			"      repository: {metadata: {format: Lava-Test Test Definition 1.0, name: b}}\n" +
			"      brunch: c\n", schema.Strict, []string{
			`8:13: actions[0].test.definitions[0].from: with from: inline, this is wrong: the key "brunch" is not known here`,
			`12:7: actions[0].test.definitions[0].brunch: the key "brunch" is not known here`,
		}},
		{"an unknown place of definitions", head +
			"actions:\n- test:\n    definitions:\n    - {from: gti, name: a, path: b, repository: c}\n", schema.Strict, []string{
			`8:14: actions[0].test.definitions[0].from: expected one of git, url, inline, found string "gti"; did you mean ` +
				`"git"?`,
		}},
		{"timeouts", strings.Replace(
			head, "{job: {minutes: 5}}",
			"{job: {minutes: 5}, action: {minute: 1}, connection: {minutes: 0}, queue: {}, actions: {a: {minutes: 1, "+
				"seconds: 2}}}",
			1,
		) + "actions: []\n", schema.Strict, []string{
			`4:40: timeouts.action.minute: the key "minute" is not known here; did you mean "minutes"?`,
			`4:74: timeouts.connection.minutes: expected a number, at least 1, found integer 0`,
			`4:85: timeouts.queue.days: none of the keys days, hours, minutes, seconds is there`,
			`4:103: timeouts.actions.a.minutes: exactly one of days, hours, minutes, seconds is wanted, and nothing else`,
		}},
		{"timeouts above the job's", strings.Replace(
			head, "{job: {minutes: 5}}", "{job: {minutes: 5}, action: {hours: 1}, actions: {a: {days: 1}}}", 1,
		) + "actions:\n- boot: {method: minimal, timeout: {minutes: 6}}\n", schema.Strict, []string{
			`4:39: timeouts.action: 1h0m0s is longer than the job's timeout, 5m0s`,
			`4:64: timeouts.actions.a: 24h0m0s is longer than the job's timeout, 5m0s`,
			`6:36: actions[0]: 6m0s is longer than the job's timeout, 5m0s`,
		}},
		{"namespaces on some", head +
			"actions:\n- boot: {method: minimal, namespace: a}\n- boot: {method: minimal}\n", schema.Lenient, []string{
			`7:9: actions[1] without a namespace, but actions[0] with one: either all actions have one, or none`,
		}},
		{"reserved namespaces", head + "actions:\n- boot: {method: minimal, namespace: common}\n", schema.Strict, []string{
			`6:38: actions[0].boot.namespace: "common" is reserved`,
		}},
		{"no device type", strings.Replace(head, "device_type: qemu\n", "", 1) + "actions: []\n", schema.Strict, []string{
			`1:1: neither "device_type" nor the protocol lava-multinode is there`,
		}},
		{"multinode", head +
			"tags: [a]\nprotocols: {lava-multinode: {roles: {a: {device_type: x, count: 1}}}}\nactions:\n" +
			"- boot: {method: minimal, role: [a]}\n- boot: {method: minimal}\n", schema.Strict, []string{
			`9:9: actions[1] has no role; with lava-multinode, every action has one`,
			`2:14: "device_type" is not used with lava-multinode; roles have it`,
			`5:7: "tags" is not used with lava-multinode; roles have it`,
		}},
		{"context", head + "context: {arch: amd64, extra_options: [1, [2]]}\nactions: []\n", schema.Strict, []string{
			`5:43: context.extra_options[1]: expected an integer or a string, found list`,
		}},
		{"context in lenient mode", head + "context: {arhc: amd64}\nactions: []\n", schema.Lenient, []string{
			`5:11: context.arhc: expected one of ` + strings.Join(
				contextNames(), ", ",
			) + `, found string "arhc"; did you mean "arch"?`,
		}},
		{"YAML 1.1", head +
			"actions:\n- boot: {method: minimal, prompts: [yes, 1:30], failure_retry: yes}\n", schema.Strict, []string{
			`6:37: actions[0].boot.prompts[0]: expected a string that is not empty, found boolean yes`,
			`6:42: actions[0].boot.prompts[1]: expected a string that is not empty, found integer 1:30`,
		}},
		{"images", head +
			"actions:\n- deploy: {to: tmpfs, images: {}}\n" +
			"- deploy: {to: tmpfs, images: {a: {url: x, format: ext4}}}\n", schema.Strict, []string{
			`6:31: actions[0].deploy.images: there is nothing in it`,
			`7:44: actions[1].deploy.images.a.format: the key "format" is not known here`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, r := jobs.ParseJob([]byte(tt.src), tt.mode)
			var got []string
			for _, p := range r.Errors {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if (j == nil) != (tt.want != nil) {
				t.Error("a job with errors, or none without")
			}
		})
	}
}

// contextNames are what the error about an unknown variable lists.
func contextNames() []string {
	_, r := jobs.ParseJob([]byte(head+"context: {x: 1}\nactions: []\n"), schema.Strict)
	return strings.Split(strings.TrimPrefix(r.Errors[0].Expected, "one of "), ", ")
}

// TestMethods reads each method with no keys but its own name: it is found, and what it lacks is said once.
func TestMethods(t *testing.T) {
	count := map[string]int{}
	for _, m := range jobs.Methods() {
		count[m.Section]++
		key := map[string]string{"deploy": "to: ", "boot": "method: "}[m.Section]
		body := key + m.Name
		switch {
		case m.Section == "command":
			body = "name: x"
		case m.Name == "docker" && m.Section == "test":
			body = "definitions: [], docker: {image: debian}"
		case m.Section == "test":
			body = m.Name + ": []"
		}
		_, r := jobs.ParseJob([]byte(head+"actions:\n- "+m.Section+": {"+body+"}\n"), schema.Strict)
		var seen []string
		for _, p := range r.Errors {
			if !strings.HasSuffix(p.Message, "is missing") || slices.Contains(seen, p.Path) {
				t.Errorf("%s %s: %s", m.Section, m.Name, p)
			}
			seen = append(seen, p.Path)
		}
	}
	if diff := cmp.Diff(map[string]int{"deploy": 25, "boot": 33, "test": 5, "command": 1}, count); diff != "" {
		t.Error(diff)
	}
}

// TestLenientDecodes reads what only lenient mode lets through, and still has it.
func TestLenientDecodes(t *testing.T) {
	src := strings.Replace(
		smoke, "      path: inline/smoke.yaml\n", "      path: inline/smoke.yaml\n      parameters: {B: 2}\n", 1,
	)
	src = strings.Replace(
		src, `sha256sum: "00",`, `surprise: 1, format: cpio.newc, overlays: {lava: true, m: {url: a, format: tar, path: /}},`,
		1,
	)
	if _, r := jobs.ParseJob([]byte(src), schema.Strict); r.Valid() {
		t.Error("valid in strict mode")
	}
	j, r := jobs.ParseJob([]byte(src), schema.Lenient)
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	image := j.Actions[0].(*jobs.DeployTmpfs).Images["ramdisk"]
	definition := j.Actions[2].(*jobs.TestDefinitions).Definitions[0]
	if !image.LavaOverlay || image.Overlays["m"].Path != "/" || image.Compression != "gz" || image.ImageArg == "" ||
		definition.Parameters["B"].Int != 2 {
		t.Errorf("%+v %+v", image, definition)
	}
}
