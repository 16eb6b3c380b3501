package netboot_test

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
	"github.com/gantry-ci/gantry/runner/plan"
)

// This file is a method that boots over the network, as one would be added: its function, its slot, and nothing of any
// other file but the row in its room's table.

// tftpFiles is what the deploy leaves to the boot.
var tftpFiles = plan.Slot[plan.Share]{Name: "files by TFTP"}

func deployTFTP(b *plan.Builder, p *jobs.DeployTftp) {
	b.Name("tftp-deploy")
	service := plan.NeedTFTP(b)
	share := plan.Provide(b, tftpFiles)
	b.Step("prepare-tftp-overlay", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) (err error) {
		*share, err = service.Serve(ctx, r.ID, r.Dir, r.Journal)
		return err
	})
	b.Step("file-download", results.ClassJob, func(context.Context, *plan.Run) error {
		from, err := os.ReadFile(strings.TrimPrefix(p.Kernel.URL, "file://"))
		return errors.Join(err, os.WriteFile(filepath.Join(share.Folder, "kernel"), from, 0o600))
	})
}

// bootTFTP hands what a boot loader would fetch to the test.
func bootTFTP(fetched func(u *url.URL)) func(b *plan.Builder, p *jobs.BootUBoot) {
	return func(b *plan.Builder, _ *jobs.BootUBoot) {
		share := plan.Require(b, tftpFiles)
		b.Step("bootloader-commands", results.ClassJob, func(context.Context, *plan.Run) error {
			fetched(share.Address.JoinPath("kernel"))
			return nil
		})
	}
}

const tftpJob = `job_name: j
device_type: bbb
visibility: public
timeouts: {job: {minutes: 5}}
actions:
- deploy: {to: tftp, kernel: {url: "file://FILE", type: image}}
- boot: {method: u-boot, commands: ramdisk, prompts: ['# ']}
`

// TestMethod plans and runs the scratch method: its service is asked for, its folder and address flow to the boot, and
// the end of the run takes both back.
func TestMethod(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zImage")
	if err := os.WriteFile(file, []byte("a kernel"), 0o600); err != nil {
		t.Fatal(err)
	}
	job, report := jobs.ParseJob([]byte(strings.Replace(tftpJob, "FILE", file, 1)), schema.Lenient)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	var got string
	var from *url.URL
	o := plan.Options{
		Job: job, Target: &dut.Target{Name: "bbb01"}, RunID: "run1",
		Methods: []plan.Method{plan.For(deployTFTP), plan.For(bootTFTP(func(u *url.URL) {
			var err error
			if got, err = get(t, u); err != nil {
				t.Error(err)
			}
			from = u
		}))},
	}
	_, err := plan.Make(o)
	const want = "line 6: deploy tftp: needs files served by TFTP, and this host serves none: set host.tftp"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a host without the service: %v", err)
	}
	o.Host.TFTP = services(t)["tftp"]
	p, err := plan.Make(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &plan.Run{
		ID: "run1", Dir: dir, Journal: journaled(t, dir), Emit: func(results.Event) {}, Logger: slog.New(slog.DiscardHandler),
	}
	if err := p.Execute(t.Context(), r); err != nil || got != "a kernel" {
		t.Fatalf("fetched %q, %v", got, err)
	}
	if err := r.Journal.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 { // the journal
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := get(t, from); err == nil {
		t.Error("the file is still served")
	}
}

// nfs and nbd are services to come, as far as the interface goes: the folder is the lease's in each, and what differs
// is the address. A client of NFS mounts its path, one of NBD names a file below it as its export.
type (
	nfs struct{ root *url.URL }
	nbd struct{ root *url.URL }
)

func (s nfs) Serve(_ context.Context, lease, dir string, undo *journal.Journal) (plan.Share, error) {
	return folder(s.root, lease, dir, undo)
}

func (s nbd) Serve(_ context.Context, lease, dir string, undo *journal.Journal) (plan.Share, error) {
	return folder(s.root, lease, dir, undo)
}

func folder(root *url.URL, lease, in string, undo *journal.Journal) (plan.Share, error) {
	dir := filepath.Join(in, root.Scheme)
	err := undo.Before(netboot.UndoFolder, dir)
	if err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	return plan.Share{Folder: dir, Address: root.JoinPath(lease)}, err
}

// TestServicesToCome has one host with all of them.
func TestServicesToCome(t *testing.T) {
	real := services(t)
	dir := t.TempDir()
	j := journaled(t, dir)
	for scheme, s := range map[string]plan.Service{
		"http": real["http"], "tftp": real["tftp"], "nfs": nfs{&url.URL{Scheme: "nfs", Host: "10.0.0.1:2049"}},
		"nbd": nbd{&url.URL{Scheme: "nbd", Host: "10.0.0.1:10809"}},
	} {
		sh, err := s.Serve(t.Context(), "lease-1", dir, j)
		if err != nil || sh.Address.Scheme != scheme {
			t.Errorf("%s: %v, %v", scheme, sh.Address, err)
		}
	}
	if err := j.Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}
