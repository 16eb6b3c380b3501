// Package vmhost knows guests: what this host can run (Probe), and below it the KVM probe and the QEMU back end. It
// knows no jobs and no boards.
package vmhost

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemu"
)

// Host is what this host can really do for guests, as gantry probe prints it.
type Host struct {
	KVM     kvm.Result     `json:"kvm"`
	QEMU    []qemu.Version `json:"qemu"` // empty: none is installed
	Libvirt Libvirt        `json:"libvirt"`
	Memory  Memory         `json:"memory"`
	CPUs    int            `json:"cpus"`
}

// Memory is the host's, in bytes.
type Memory struct {
	Total     int64  `json:"total"`
	Available int64  `json:"available"` // without swapping, by the kernel's estimate
	Error     string `json:"error,omitempty"`
}

// Libvirt says whether its daemon takes connections. Whether it can run guests is not tried.
type Libvirt struct {
	Reachable bool   `json:"reachable"`
	Evidence  string `json:"evidence"` // "/run/libvirt/libvirt-sock accepts connections"
}

// Roots are where Probe searches; the zero value is this host. Tests set them.
type Roots struct {
	Proc string   // /proc
	Run  string   // /run
	Path []string // the folders of PATH
}

// Probe examines this host. It takes well under a second, and no longer than ctx; what cannot be found out says why in
// its place.
func Probe(ctx context.Context, r Roots) Host {
	if r.Proc == "" {
		r.Proc = "/proc"
	}
	if r.Run == "" {
		r.Run = "/run"
	}
	if r.Path == nil {
		r.Path = filepath.SplitList(os.Getenv("PATH"))
	}
	return Host{
		KVM:     kvm.Probe(ctx),
		QEMU:    qemu.Versions(ctx, r.Path),
		Libvirt: libvirt(ctx, r.Run),
		Memory:  memory(r.Proc),
		CPUs:    runtime.NumCPU(),
	}
}

// memory reads /proc/meminfo, whose numbers are KiB.
func memory(proc string) Memory {
	f, err := os.Open(filepath.Join(proc, "meminfo"))
	if err != nil {
		return Memory{Error: err.Error()}
	}
	defer func() { _ = f.Close() }()
	var m Memory
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "MemTotal:":
			m.Total = n << 10
		case "MemAvailable:":
			m.Available = n << 10
		}
	}
	if err := lines.Err(); err != nil {
		m.Error = err.Error()
	} else if m.Total == 0 {
		m.Error = "meminfo has no MemTotal"
	}
	return m
}

// dialLimit bounds a connection to a local socket: it is taken at once, unless the daemon's queue is full.
const dialLimit = time.Second

// libvirt tries the sockets of the one daemon and of the modular one for QEMU.
func libvirt(ctx context.Context, run string) Libvirt {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	var tried []string
	for _, name := range []string{"libvirt-sock", "virtqemud-sock"} {
		path := filepath.Join(run, "libvirt", name)
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			_ = conn.Close()
			return Libvirt{Reachable: true, Evidence: path + " accepts connections"}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			tried = append(tried, fmt.Sprintf("connect to %s: %v", path, errors.Unwrap(err)))
		}
	}
	if len(tried) == 0 {
		return Libvirt{Evidence: fmt.Sprintf("there is no socket in %s", filepath.Join(run, "libvirt"))}
	}
	return Libvirt{Evidence: strings.Join(tried, "; ")}
}
