package runner_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/test/guest"
)

// sshGuest makes what a guest with an ssh server is of.
func sshGuest(t *testing.T) (guest.SSH, string) {
	t.Helper()
	dir := images(t)
	g, err := guest.MakeSSH(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return g, dir
}

// freePort is a port of the loopback that nobody has now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// sshDevice is a device file that asks for results by ssh. To is the guest's port, policy what it says of the host key.
func sshDevice(port, to int, identity, policy string) string {
	return fmt.Sprintf(`name: guest-1
type: qemu
boot:
  qemu:
    command: qemu-system-x86_64
    options: ["-nographic", "-m 256", "-net nic,model=virtio", "-net user,hostfwd=tcp:127.0.0.1:%[1]d-:%[2]d"]
results:
  ssh: {host: 127.0.0.1, port: %[1]d, identity_file: %[3]q, %[4]s}
`, port, to, identity, policy)
}

// serveSSH runs a job for a stranger on a guest with results by ssh.
func serveSSH(t *testing.T, dir, device string, change func(*dut.Target), steps ...string) (*results.Results, string) {
	t.Helper()
	src := source(t, func(p *params) {
		p.Ramdisk = "file:///ramdisk-ssh.cpio.gz"
		p.Steps, p.TestSeconds = list(steps...), 240
	})
	return serveOn(t, device, src, plan.Policy{FileRoots: []string{dir}}, func(o *runner.Options) {
		if change != nil {
			change(o.Target)
		}
	})
}

// What a step waits for: that a session reads the results, and that one has read all of them, with a while to send
// them in.
const (
	reader   = `[ "$(readlink $p/fd/0)" = /lava-7/gantry/results ]`
	followed = "{ set +x; } 2>/dev/null; until for p in /proc/[0-9]*; do " + reader + " && break; done; " +
		"do sleep 0.2; done"
	delivered = "{ set +x; } 2>/dev/null; until for p in /proc/[0-9]*; do " + reader + ` && ` +
		`[ "$(sed -n 's/^pos:[^0-9]*//p' $p/fdinfo/0)" -ge "$(stat -c %s /lava-7/gantry/results)" ] && break; done; ` +
		"do sleep 0.2; done; sleep 3"
)

// told is what the run's log says of results by ssh, a line each.
func told(t *testing.T, dir string) string {
	t.Helper()
	events, err := os.ReadFile(filepath.Join(dir, results.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile(`results by ssh: ((?:[^"\\]|\\.)*)`).FindAllSubmatch(events, -1) {
		all = append(all, string(m[1]))
	}
	t.Log(strings.Join(all, "\n"))
	return strings.Join(all, "\n")
}

// TestResultsSSH boots guests whose results come by ssh, and has session or console lose what they may.
func TestResultsSSH(t *testing.T) {
	t.Parallel()
	g, root := sshGuest(t)
	const cases = 30
	spoil := changed(func(g *dut.Guest) { g.Console = spoiled{g.Console} })
	const server = "kill $(pidof dropbear)"
	const session = "for p in $(pidof dropbear); do [ $p = $(cat /tmp/dropbear.pid) ] || kill $p; done"
	for _, tt := range []struct {
		name   string
		change func(*dut.Target)
		policy string
		to     int
		steps  []string
		low    int // how many results must be in the session's record
		high   int // and how many may
		log    string
	}{
		{
			"a quiet console", nil, "own_guest: true", 22,
			[]string{followed, report(0, cases), delivered},
			cases, cases,
			"is not checked: QEMU forwards the port into its own guest",
		},
		{"a console full of the kernel's messages", nil, "pinned", 22, []string{
			"dmesg -n 8; echo on >/proc/sys/kernel/printk_devkmsg",
			"(while echo '<4>noise: a message of the kernel, longer than a FIFO' >/dev/kmsg; do :; done) & echo $! >/tmp/noise",
			report(0, cases), "kill $(cat /tmp/noise)", delivered,
		}, cases, cases, "is the device file's"},
		{
			"a console without a result", nil, "pinned", 22,
			[]string{"exec >/dev/null 2>&1", report(0, cases), delivered},
			cases, cases, "is followed at root@127.0.0.1:",
		},
		{"a console that spoils every signal", spoil, "known", 22, []string{report(0, cases)}, cases, cases, "/known_hosts"},
		{"a session that is lost half way, beside a spoiled console", spoil, "pinned", 22, []string{
			report(0, 10), delivered, session, report(10, 20),
		}, cases, cases, "the session is lost"},
		{
			"a server that goes half way", nil, "pinned", 22,
			[]string{report(0, 10), delivered, server, report(10, 20)},
			10, 10,
			"the session is lost",
		},
		{
			"a network that goes half way", nil, "pinned", 22,
			[]string{report(0, 10), delivered, "ifconfig eth0 down", report(10, 20)},
			10, 10, "",
		},
		{"a server that is missing", nil, "pinned", 2222, []string{report(0, cases)}, 0, 0, "no session yet"},
		{"a wrong host key", nil, "wrong", 22, []string{"sleep 15", report(0, cases)}, 0, 0, "the host key is refused"},
		{"an unknown host", nil, "unknown", 22, []string{"sleep 15", report(0, cases)}, 0, 0, "the host key is refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := freePort(t)
			device := sshDevice(n, tt.to, g.Identity, hostPolicy(t, tt.policy, n, g.HostKey))
			res, dir := serveSSH(t, root, device, tt.change, tt.steps...)
			by := byDevice(t, dir)
			if res.Verdict.Verdict != results.Pass || passes(res) != cases || by < tt.low || by > tt.high {
				t.Errorf("verdict %s (%s), %d of %d cases, %d by ssh", res.Verdict.Verdict, res.Message, passes(res), cases, by)
			}
			if log := told(t, dir); !strings.Contains(log, tt.log) {
				t.Errorf("the log does not say %q:\n%s", tt.log, log)
			}
			secret(t, g.Identity, dir)
			t.Logf("the test took %.1f s", stepTime(res, "lava-test-shell"))
		})
	}
}

// stepTime is how long a step of the pipeline took.
func stepTime(res *results.Results, step string) float64 {
	for _, c := range res.Cases {
		if c.Suite == results.PipelineSuite && c.Case == step && c.DurationS != nil {
			return *c.DurationS
		}
	}
	return -1
}

// hostPolicy is what a device file says of the host key.
func hostPolicy(t *testing.T, policy string, port int, hostKey string) string {
	t.Helper()
	const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
	hosts := map[string]string{
		"known": fmt.Sprintf("[127.0.0.1]:%d %s\n", port, hostKey), "unknown": "board.lab " + hostKey + "\n",
	}
	switch policy {
	case "pinned":
		return "host_key: " + hostKey
	case "wrong":
		return "host_key: " + other
	case "known", "unknown":
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(hosts[policy]), 0o600); err != nil {
			t.Fatal(err)
		}
		return "known_hosts: " + file
	}
	return policy
}

// secret looks for the private key in all that a run leaves.
func secret(t *testing.T, identity, dir string) {
	t.Helper()
	b, err := os.ReadFile(identity)
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Split(b, []byte("\n"))[1]
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(line) < 30 {
		t.Fatal(err, len(line))
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, line) {
			t.Errorf("%s has the private key", f)
		}
	}
}

// TestResultsSSHFlood has the file grow by 40 MiB: the record stays bounded, as far as an emulated guest gets with it,
// and the results come by the console.
func TestResultsSSHFlood(t *testing.T) {
	t.Parallel()
	g, root := sshGuest(t)
	const cases = 10
	res, dir := serveSSH(t, root, sshDevice(freePort(t), 22, g.Identity, "host_key: "+g.HostKey), nil,
		followed+"; dd if=/dev/zero of=/lava-7/gantry/results bs=1M count=40 oflag=append conv=notrunc; sleep 10",
		report(0, cases))
	n := byDevice(t, dir)
	st, err := os.Stat(filepath.Join(dir, results.CopiesFile("")))
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict.Verdict != results.Pass || passes(res) != cases || n > 0 || st.Size() < 1<<20 ||
		st.Size() > beside.DefaultMaxRecord {
		t.Errorf(
			"verdict %s (%s), %d of %d cases, %d by ssh, a record of %d bytes", res.Verdict.Verdict, res.Message, passes(res),
			cases, n, st.Size(),
		)
	}
	if log := told(t, dir); strings.Contains(log, "more came than is kept") != (st.Size() == beside.DefaultMaxRecord) {
		t.Errorf("the log says %q of a record of %d bytes", log, st.Size())
	}
}

// TestResultsSSHReboot boots twice beside a console that spoils every signal: each boot has a session of its own, and
// the second does not read the first one's results.
func TestResultsSSHReboot(t *testing.T) {
	t.Parallel()
	g, root := sshGuest(t)
	src := append(source(t, func(p *params) {
		p.Ramdisk, p.Steps = "file:///ramdisk-ssh.cpio.gz", list(report(0, 15))
	}), `
- boot: {method: qemu, media: tmpfs, prompts: ['gantry:.*# ']}
- test:
    definitions:
    - from: inline
      name: last
      path: inline/last.yaml
      repository:
        metadata: {format: Lava-Test Test Definition 1.0, name: last}
        run: {steps: `+list(report(15, 15))+`}
`...)
	device := sshDevice(freePort(t), 22, g.Identity, "own_guest: true")
	res, dir := serveOn(t, device, src, plan.Policy{FileRoots: []string{root}}, func(o *runner.Options) {
		changed(func(g *dut.Guest) { g.Console = spoiled{g.Console} })(o.Target)
	})
	if res.Verdict.Verdict != results.Pass || passes(res) != 30 {
		t.Errorf("verdict %s (%s), %d of 30 cases", res.Verdict.Verdict, res.Message, passes(res))
	}
	for _, c := range res.Cases {
		if c.Suite == results.PipelineSuite && c.DurationS != nil && *c.DurationS > 1 {
			t.Logf("%s took %.1f s", c.Case, *c.DurationS)
		}
	}
	if log := told(t, dir); strings.Count(log, "from byte 0 on") != 2 {
		t.Errorf("not a session for each boot:\n%s", log)
	}
}

// TestResultsSSHPanic has the guest go down during a test: the run ends as without a session, with what was reported.
func TestResultsSSHPanic(t *testing.T) {
	t.Parallel()
	g, root := sshGuest(t)
	for name, last := range map[string]string{
		"panic": "echo c >/proc/sysrq-trigger", "reboot": "reboot -f", "power-off": "poweroff -f",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			device := sshDevice(freePort(t), 22, g.Identity, "own_guest: true")
			res, dir := serveSSH(t, root, device, nil, report(0, 10), delivered, last, report(10, 20))
			if n := byDevice(t, dir); res.Verdict.Verdict != results.VerdictIncomplete || res.Class != results.ClassTest ||
				passes(res) != 10 || n != 10 {
				t.Errorf(
					"verdict %s, class %s (%s), %d cases, %d by ssh", res.Verdict.Verdict, res.Class, res.Message, passes(res), n,
				)
			}
			told(t, dir)
		})
	}
}

// TestResultsSSHManual runs the manual's device file, with a port and keys of this machine, and one in LAVA's form.
func TestResultsSSHManual(t *testing.T) {
	t.Parallel()
	g, root := sshGuest(t)
	manual, err := os.ReadFile("../docs/runner.md")
	if err != nil {
		t.Fatal(err)
	}
	_, short, _ := strings.Cut(string(manual), "<!-- example: results by ssh -->\n```yaml\n")
	short, _, ok := strings.Cut(short, "```")
	if !ok {
		t.Fatal("the manual has no example")
	}
	const lava = `hostname: qemu-ssh
devicetype: qemu
constants:
  gantry-results: {ssh: {port: 2222, identity_file: /etc/gantry/id_ed25519, own_guest: true}}
parameters: {}
actions:
  deploy: {methods: {image: , ssh: {host: "", port: 22, user: root, identity_file: dynamic_vm_keys/lava}}}
  boot:
    connections: {serial: }
    methods:
      qemu:
        parameters:
          command: qemu-system-x86_64
          options: ["-nographic", "-m 256", "-net nic,model=virtio", "-net user,hostfwd=tcp:127.0.0.1:2222-:22"]
timeouts: {actions: {}, connections: {}}
`
	for name, device := range map[string]string{"the short form": short, "LAVA's form": lava} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			device := strings.NewReplacer(
				"2222", strconv.Itoa(freePort(t)), "/etc/gantry/id_ed25519", g.Identity,
			).Replace(device)
			res, dir := serveSSH(t, root, device, nil, report(0, 30), delivered)
			if n := byDevice(t, dir); res.Verdict.Verdict != results.Pass || passes(res) != 30 || n != 30 {
				t.Errorf("verdict %s (%s), %d cases, %d by ssh", res.Verdict.Verdict, res.Message, passes(res), n)
			}
			told(t, dir)
		})
	}
}
