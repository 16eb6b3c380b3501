package qemu

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Version is one QEMU of this host.
type Version struct {
	Binary  string `json:"binary"` // qemu-system-x86_64
	Path    string `json:"path"`
	Version string `json:"version,omitempty"` // as it says: "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)"
	Error   string `json:"error,omitempty"`
}

var systemBinary = regexp.MustCompile(`^qemu-system-[a-z0-9_]+(-microvm)?$`)

// versionLimit bounds one "--version", which takes some 50 ms on an idle host.
const versionLimit = 5 * time.Second

// Versions asks each system emulator in the folders for its version. The first of a name counts, as in PATH.
func Versions(ctx context.Context, path []string) []Version {
	found, seen := []Version{}, map[string]bool{}
	for _, dir := range path {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // PATH may name folders that are not there
		}
		for _, e := range entries {
			p := filepath.Join(dir, e.Name())
			if !systemBinary.MatchString(e.Name()) || seen[e.Name()] {
				continue
			}
			if _, err := exec.LookPath(p); err != nil {
				continue
			}
			seen[e.Name()] = true
			found = append(found, version(ctx, e.Name(), p))
		}
	}
	return found
}

func version(ctx context.Context, name, path string) Version {
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	v := Version{Binary: name, Path: path}
	first, _, _ := strings.Cut(string(out), "\n")
	switch _, number, ok := strings.Cut(first, "version "); {
	case err != nil:
		v.Error = fmt.Sprintf("%s --version: %v", name, err)
	case !ok:
		v.Error = fmt.Sprintf("%s --version says %.100q", name, first)
	default:
		v.Version = strings.TrimSpace(number)
	}
	return v
}
