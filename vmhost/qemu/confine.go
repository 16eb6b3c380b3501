package qemu

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// shell lowers limits that only the process itself can lower, and makes room for QEMU: no core dumps of a guest's
// memory, no endless files, and the guest first when the host runs out of memory.
const shell = `ulimit -c 0; %s{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$0" "$@"`

func launcher(ctx context.Context, o Options, c *command, argv []string, files *files) *exec.Cmd {
	script := fmt.Sprintf(shell, fileLimit(max(o.Limits.FileBytes, files.largest)))
	// Not CommandContext: the guest outlives the step that started it, and ends by Off or with the runner.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", append([]string{"-c", script}, argv...)...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C", "HOME=/nonexistent", "TMPDIR=/var/tmp"}
	cmd.ExtraFiles = files.list
	if o.Trust == Served {
		cmd.Dir = "/"
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: o.User.UID, Gid: o.User.GID, Groups: kvmGroups(c.Accel)}
	}
	return cmd
}

// limitUnit is the shell's of ulimit -f, in bytes.
const limitUnit = 512

// fileLimit is the shell's command that bounds files to size bytes, "" where they are bound closer already.
func fileLimit(size int64) string {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &now); err != nil || now.Max <= uint64(size) {
		return ""
	}
	return "ulimit -f " + strconv.FormatInt((size+limitUnit-1)/limitUnit, 10) + "; "
}

// kvmGroups is the one group a guest needs: that of /dev/kvm.
func kvmGroups(a vm.Accel) []uint32 {
	if a.Used != "kvm" {
		return nil
	}
	var st syscall.Stat_t
	if err := syscall.Stat("/dev/kvm", &st); err != nil || st.Mode&syscall.S_IRWXG == 0 || st.Gid == 0 {
		return nil
	}
	return []uint32{st.Gid}
}
