package jobs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/jobs"
)

// lavaConstants is a rendered device file with a place for constants.
const lavaConstants = "constants: {%s}\nparameters: {}\n" +
	"actions: {deploy: {methods: {}}, boot: {methods: {}, connections: {}}}\ntimeouts: {actions: {}, connections: {}}\n"

// TestDeviceResults asks for a way of results in both forms of device files.
func TestDeviceResults(t *testing.T) {
	lava := func(c string) string { return strings.Replace(lavaConstants, "%s", c, 1) }
	const ssh = "{ssh: {host: board-1.lab, identity_file: /etc/gantry/key, known_hosts: /etc/gantry/known_hosts}}"
	for src, want := range map[string]string{
		shortDevice:                                  "",
		shortDevice + "results: virtio-serial\n":     jobs.ResultsVirtioSerial,
		shortDevice + "results: telepathy\n":         "error",
		shortDevice + "results: " + ssh + "\n":       jobs.ResultsSSH,
		lava(""):                                     "",
		lava("gantry-results:"):                      "",
		lava("gantry-results: virtio-serial"):        jobs.ResultsVirtioSerial,
		lava("gantry-results: true"):                 "error",
		lava("gantry-results: " + ssh):               jobs.ResultsSSH,
		lava("gantry-results: {ssh: {host: board}}"): "error",
	} {
		got := "error"
		d, r := jobs.ParseDevice([]byte(src))
		if r.Valid() {
			got = d.Results
		}
		if got != want {
			t.Errorf("%s\nasks for %q, want %q: %v", src, got, want, r.Err())
		}
		if (got == jobs.ResultsSSH) != (d != nil && d.ResultsSSH != nil) {
			t.Errorf("%s\nhas the wrong login", src)
		}
	}
}

// TestResultsLogin reads what a login may say, and what is wrong with one, at its line.
func TestResultsLogin(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4wQ2rR0pJ3hWb0kYw3B5rVq1l4m0bQ0m3zqfQ2t0aX lab"
	parse := func(block string) (*jobs.Device, string) {
		src := shortDevice + "results:\n" + block
		d, r := jobs.ParseDevice([]byte(src))
		if r.Valid() {
			return d, ""
		}
		p := r.Errors[0]
		return nil, strings.TrimSpace(strings.Split(src, "\n")[p.Line-1]) + " | " + p.Path + ": " + p.Message
	}
	const forward = "boot: {qemu: {command: qemu-system-x86_64, options: [\"-net nic\", " +
		"\"-net user,hostfwd=tcp:127.0.0.1:2222-:22\"]}}\n"
	d, fault := parse("  ssh: {identity_file: /k, own_guest: true, port: 2222}\n" + forward)
	if fault != "" {
		t.Fatal(fault)
	}
	if diff := cmp.Diff(
		&jobs.ResultsLogin{Host: "127.0.0.1", Port: 2222, User: "root", IdentityFile: "/k", OwnGuest: true}, d.ResultsSSH,
	); diff != "" {
		t.Error(diff)
	}
	if d, fault = parse("  ssh: {identity_file: /k, host: b, user: lab, host_key: " + key + "}\n"); fault != "" ||
		d.ResultsSSH.HostKey != key || d.ResultsSSH.Port != 22 {
		t.Error(fault, d)
	}
	for block, want := range map[string]string{
		"  vsock\n":                             "vsock | results: results by vsock are not executed",
		"  vsock: {cid: 3}\n":                   `vsock: {cid: 3} | results.vsock: the key "vsock" is not known here`,
		"  ssh: {identity_file: /k, host: b}\n": "| results.ssh: nothing says what the target's host key is",
		"  ssh: {identity_file: /k, host: b, own_guest: false}\n": "| results.ssh: " +
			"nothing says what the target's host key is",
		"  ssh: {identity_file: /k, host: b, known_hosts: /a, host_key: " + key + "}\n": "exclude each other",
		"  ssh:\n    identity_file: keys/lab\n    host: b\n    known_hosts: /a\n": "identity_file: keys/lab " +
			"| results.ssh.identity_file: ",
		"  ssh: {host: b, known_hosts: /a}\n":           `"identity_file" is missing`,
		"  ssh: {identity_file: /k, known_hosts: /a}\n": `"host" is missing`,
		"  ssh:\n    identity_file: /k\n    host: 10.0.0.7\n    own_guest: true\n": "host: 10.0.0.7 " +
			"| results.ssh.host: a guest's own port is at 127.0.0.1",
		"  ssh:\n    identity_file: /k\n    host: -oProxyCommand=sh\n    known_hosts: /a\n": "results.ssh.host: ",
		"  ssh:\n    identity_file: /k\n    host: b\n    known_hosts: /a\n    password: geheim\n": `password: geheim ` +
			`| results.ssh.password: the key "password" is not known here`,
		"  ssh:\n    identity_file: /k\n    host: b\n    host_key: SHA256:abc\n": "host_key: SHA256:abc " +
			"| results.ssh.host_key: ",
		"  ssh:\n    identity_file: /k\n    host: b\n    known_hosts: /a\n    port: 70000\n": "port: 70000 " +
			"| results.ssh.port: ",
	} {
		if _, got := parse(block); !strings.Contains(got, want) {
			t.Errorf("%s\nis %q, want %q", block, got, want)
		}
	}
}
