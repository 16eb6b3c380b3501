package lab

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
	"github.com/gantry-ci/gantry/runner/plan"
)

// configured reads a runner's configuration with more lines from line 4 on, and a device for it.
func configured(t *testing.T, more string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "runner.yaml")
	src := "server: http://127.0.0.1:1\nname: r\n" + "dir: " + t.TempDir() + "\n" + more + "devices: [runner.yaml]\n"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadConfig(file, func(string) (*jobs.Device, error) {
		return parse(t, "name: qemu-0\ntype: qemu\nboot: {qemu: {command: qemu-system-x86_64}}\n"), nil
	}, nil)
}

// TestHostKeys refuses wrong addresses when the configuration is read, with the line and the key.
func TestHostKeys(t *testing.T) {
	for more, want := range map[string]string{
		"host: {http: 10.0.0.1}\n":                    "4:14: host.http: address 10.0.0.1: missing port in address",
		"host:\n  tftp: 69\n":                         "5:9: host.tftp: address 69: missing port in address",
		"host: {tftp: '10.0.0.1:tftp'}\n":             `4:14: host.tftp: port "tftp" is not a number from 0 to 65535`,
		"host: {http: ':99999'}\n":                    `4:14: host.http: port "99999" is not a number from 0 to 65535`,
		"host: {address: 'http://10.0.0.1'}\n":        `4:17: host.address: "http://10.0.0.1" is no IP address or host name`,
		"host: {address: 0.0.0.0}\n":                  "4:17: host.address: no target reaches the address 0.0.0.0",
		"host: {https: 10.0.0.1:443}\n":               "4:8: host.https: ",
		"host: {http: ':80', address: 'fe80::1'}\n":   "",
		"host: {http: ':80', address: lab-1.local}\n": "",
	} {
		_, err := configured(t, more)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", more, err, want)
		}
	}
}

// TestHostListen refuses at the start what only the machine can know, and names the key. What was opened is closed.
func TestHostListen(t *testing.T) {
	held, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	for more, want := range map[string]string{
		"host: {http: ':0'}\n": "host.http: serve HTTP: no target reaches the address ::",
		"host: {http: '127.0.0.1:0', tftp: '" + held.LocalAddr().String() + "'}\n": "host.tftp: serve TFTP: listen udp",
	} {
		c, err := configured(t, more)
		if err != nil {
			t.Fatal(err)
		}
		x := NewExecutor(c, slog.New(slog.DiscardHandler))
		err = x.Listen(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", more, err, want)
		}
		if err := x.Close(); err != nil || x.Host != (plan.Host{}) {
			t.Errorf("%s: close: %v, host %v", more, err, x.Host)
		}
	}
}

const tftpJob = `job_name: j
device_type: bbb
visibility: public
timeouts: {job: {minutes: 5}}
actions:
- deploy: {to: tftp, kernel: {url: "file:///kernel", type: image}}
`

// scratch is a method that needs both services. It has each serve a file, and passes what it serves on.
func scratch(served func(plan.Share)) plan.Method {
	return plan.For(func(b *plan.Builder, _ *jobs.DeployTftp) {
		for _, s := range []plan.Service{plan.NeedTFTP(b), plan.NeedHTTP(b)} {
			b.Step("serve", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) error {
				sh, err := s.Serve(ctx, r.ID, r.Dir, r.Journal)
				if err == nil {
					err = os.WriteFile(filepath.Join(sh.Folder, "kernel"), []byte("a kernel"), 0o600)
					served(sh)
				}
				return err
			})
		}
	})
}

// TestHost runs the method with what a configuration opens. A plan that is not run is the same, and without the section
// it is refused with the line, the key and the flag.
func TestHost(t *testing.T) {
	c, err := configured(t, "host: {http: '127.0.0.1:0', tftp: ':0', address: 127.0.0.1}\n")
	if err != nil {
		t.Fatal(err)
	}
	x := NewExecutor(c, slog.New(slog.DiscardHandler))
	if err := x.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	job, report := jobs.ParseJob([]byte(tftpJob), schema.Lenient)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	var shares []plan.Share
	o := plan.Options{
		Job: job, Target: &dut.Target{Name: "bbb01"}, Host: x.Host, RunID: "run1",
		Methods: []plan.Method{scratch(func(s plan.Share) { shares = append(shares, s) })},
	}
	p, err := plan.Make(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Host = c.Host.Planned()
	planned, err := plan.Make(o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Describe(), planned.Describe()); diff != "" {
		t.Error(diff)
	}
	o.Host = (&HostConfig{}).Planned()
	_, err = plan.Make(o)
	for _, key := range []string{"http", "tftp"} {
		want := "set host." + key + " in the runner's configuration, or --host-" + key
		if err == nil || !strings.Contains(err.Error(), "line 6: deploy tftp: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("a host without services: got %v, want %s", err, want)
		}
	}
	j := execute(t, p)
	if len(shares) != 2 || shares[0].Address.Scheme != "tftp" || shares[0].Address.Hostname() != "127.0.0.1" {
		t.Fatalf("served are %v", shares)
	}
	if got, err := get(t, shares[1].Address.JoinPath("kernel").String()); err != nil || got != "a kernel" {
		t.Errorf("fetched %q, %v", got, err)
	}
	if err := errors.Join(j.Rollback(t.Context(), 0), x.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, shares[1].Address.String()); err == nil {
		t.Error("the service still listens")
	}
}

// execute runs a plan, and leaves its journal to the caller.
func execute(t *testing.T, p *plan.Plan) *journal.Journal {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal"), netboot.Undoers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if err := p.Execute(t.Context(), &plan.Run{
		ID: "run1", Dir: dir, Journal: j, Emit: func(results.Event) {}, Logger: slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
	return j
}

func get(t *testing.T, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}
