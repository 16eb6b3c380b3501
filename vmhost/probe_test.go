package vmhost

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	h := Probe(t.Context(), Roots{})
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	if h.KVM.Verdict == "" || h.KVM.Evidence == "" {
		t.Errorf("no verdict on KVM: %+v", h.KVM)
	}
	if h.Memory.Total <= 0 || h.Memory.Available <= 0 || h.Memory.Available > h.Memory.Total {
		t.Errorf("memory: %+v", h.Memory)
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("qemu-system-x86_64 is not installed")
	}
	for _, v := range h.QEMU {
		if v.Binary == "qemu-system-x86_64" && strings.Contains(v.Version, ".") && v.Error == "" {
			return
		}
	}
	t.Errorf("qemu-system-x86_64 is not among %+v", h.QEMU)
}

// A host with nothing, and one with a daemon.
func TestProbeRoots(t *testing.T) {
	dir := t.TempDir()
	h := Probe(t.Context(), Roots{Proc: dir, Run: dir, Path: []string{dir}})
	if h.Libvirt.Reachable || !strings.Contains(h.Libvirt.Evidence, "no socket") || h.Memory.Error == "" ||
		len(h.QEMU) != 0 {
		t.Errorf("an empty host: %+v", h)
	}
	if err := os.Mkdir(filepath.Join(dir, "libvirt"), 0o755); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "unix", filepath.Join(dir, "libvirt", "virtqemud-sock"))
	if err != nil {
		t.Fatal(err)
	}
	if h := libvirt(t.Context(), dir); !h.Reachable {
		t.Errorf("libvirt: %+v", h)
	}
	l.Close()
	if err := os.WriteFile(filepath.Join(dir, "libvirt", "libvirt-sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if h := libvirt(t.Context(), dir); h.Reachable || !strings.Contains(h.Evidence, "refused") {
		t.Errorf("libvirt: %+v", h)
	}
	broken := filepath.Join(dir, "qemu-system-broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho oops >&2; exit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h = Probe(t.Context(), Roots{Proc: dir, Run: dir, Path: []string{dir}})
	if len(h.QEMU) != 1 || h.QEMU[0].Error == "" || h.QEMU[0].Path != broken {
		t.Errorf("a broken QEMU: %+v", h.QEMU)
	}
}
