package jobs_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

const smoke = `device_type: qemu
job_name: smoke
timeouts: {job: {minutes: 10}, action: {minutes: 2}, actions: {auto-login-action: {seconds: 90}}}
visibility: public
context: {arch: amd64, no_kvm: true, memory: 512, extra_options: [-no-reboot]}
actions:
- deploy:
    to: tmpfs
    images:
      kernel:
        url: file:///boot/vmlinuz
        image_arg: -kernel {kernel} -append "console=ttyS0"
      ramdisk: {url: https://example.com/initrd.gz, image_arg: "-initrd {ramdisk}", sha256sum: "00", compression: gz}
- boot:
    method: qemu
    media: tmpfs
    failure_retry: 2
    timeout: {minutes: 1}
    prompts: ['/ #']
    auto_login: {login_prompt: "login:", username: root}
- test:
    timeout: {seconds: 30, skip: yes}
    definitions:
    - from: inline
      name: smoke
      path: inline/smoke.yaml
      repository:
        parameters: {A: 1}
        metadata: {format: Lava-Test Test Definition 1.0, name: smoke}
        run: {steps: [lava-test-case uname --shell uname]}
`

func TestParseJob(t *testing.T) {
	j, r := jobs.ParseJob([]byte(smoke), schema.Strict)
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	if len(j.Actions) != 3 {
		t.Fatalf("%d actions", len(j.Actions))
	}
	d, b, d2 := j.Actions[0].(*jobs.DeployTmpfs), j.Actions[1].(*jobs.BootQemu), j.Actions[2].(*jobs.TestDefinitions)
	got := []any{
		j.Name, j.DeviceType, j.Timeouts.Job.Duration(), j.Timeouts.Actions["auto-login-action"].Duration(), j.Priority,
		j.Context.Arch, j.Context.NoKVM, j.Context.Memory, j.Context.ExtraOptions, j.Visibility.Name,
		d.Section, d.Method, d.Line, d.Column, d.Namespace, d.Images["kernel"].URL, d.Images["kernel"].Line,
		d.Images["kernel"].At("image_arg").Line, d.Images["ramdisk"].Compression,
		b.Section, b.Method, b.Line, b.FailureRetry, b.Prompts, b.AutoLogin.LoginPrompt, b.Timeout.Duration(), b.Media,
		d2.Method, d2.Timeout.Skip, d2.Timeout.Duration(), d2.Definitions[0].Name, d2.Definitions[0].From,
		d2.Definitions[0].Repository.Steps,
		d2.Definitions[0].Repository.Metadata.Name, d2.Definitions[0].Repository.Parameters["A"].Text, d2.FailureRetry,
	}
	want := []any{
		"smoke", "qemu", 10 * time.Minute, 90 * time.Second, jobs.PriorityMedium,
		"amd64", true, "512",
		[]string{"-no-reboot"},
		"public",
		"deploy", "tmpfs", 7, 3, "common", "file:///boot/vmlinuz", 10, 12, "gz",
		"boot", "qemu", 14, 2,
		[]string{"/ #"},
		"login:", time.Minute, "tmpfs",
		"definitions", true, 30 * time.Second, "smoke", "inline",
		[]string{"lava-test-case uname --shell uname"},
		"smoke", "1", 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseJobErrors(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"typo", "job_nam: x\ntimeouts: {job: {minuts: 1}}\nvisibility: public\nactions: []\n", []string{
			`1:1: job_nam: the key "job_nam" is not known here; did you mean "job_name"?`,
			`2:18: timeouts.job.minuts: the key "minuts" is not known here; did you mean "minutes"?`,
			`1:1: job_name: the key "job_name" is missing`,
		}},
		{"not YAML", "a: [", []string{`2:1: not YAML: while parsing a flow node: did not find expected node content`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, r := jobs.ParseJob([]byte(tt.src), schema.Strict)
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

const shortDevice = `name: vm1
type: qemu
tags: [kvm]
console: [{name: main, driver: serial, port: /dev/ttyUSB0}]
power: {driver: tasmota, host: plug1}
boot: {qemu: {command: qemu-system-x86_64, options: [-nographic, -m 512]}}
timeouts: {actions: {auto-login-action: {minutes: 2}}}
`

func TestParseDevice(t *testing.T) {
	d, r := jobs.ParseDevice([]byte(shortDevice))
	if !r.Valid() {
		t.Fatal(r.Err())
	}
	got := []any{
		d.Name, d.Type, d.Tags, d.Short, d.Qemu.Command, d.Qemu.Options, d.Power.Get("driver").Text, d.Power.Line,
		d.Console[0].Get("port").Text,
		d.Timeouts.Actions["auto-login-action"].Duration(), d.Constants.TestShell, d.Constants.TestResultsDir,
	}
	want := []any{
		"vm1", "qemu",
		[]string{"kvm"},
		true, "qemu-system-x86_64",
		[]string{"-nographic", "-m 512"},
		"tasmota", 5, "/dev/ttyUSB0",
		2 * time.Minute, "/bin/sh", "/lava-%s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, r := jobs.ParseDevice([]byte("name: x\ntype: y\npowr: {}\n")); r.Valid() || r.Errors[0].Suggestion != "power" {
		t.Error(r.Err())
	}
}
