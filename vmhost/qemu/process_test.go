package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// startRunner starts this test binary as a runner that switches a guest on and holds it.
func startRunner(t *testing.T, id string) *runner {
	t.Helper()
	needQEMU(t)
	spec, err := json.Marshal(map[string]string{"ID": id, "Kernel": testKernel(t), "Initrd": testInitrd(t, shellInit)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+string(spec))
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &runner{cmd, out}
}

type runner struct {
	*exec.Cmd
	out io.Reader
}

// runnerOf is a runner whose guest runs.
func runnerOf(t *testing.T, id string) *runner {
	t.Helper()
	r := startRunner(t, id)
	if line, err := bufio.NewReader(r.out).ReadString('\n'); line != "on\n" {
		t.Fatalf("the runner says %q, %v", line, err)
	}
	return r
}

// guestPID finds the process of a guest.
func guestPID(t *testing.T, id string) int {
	t.Helper()
	procs, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range procs {
		var pid int
		if _, err := fmt.Sscan(p.Name(), &pid); err == nil && isGuest(pid, id) {
			return pid
		}
	}
	t.Fatalf("there is no guest %s", id)
	return 0
}

// awaitGone waits for the kernel to tell that a process is gone.
func awaitGone(t *testing.T, fd int) {
	t.Helper()
	const limit = 60_000 // milliseconds
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, limit)
		switch {
		case n == 1:
			return
		case !errors.Is(err, unix.EINTR): // a signal of the runtime ends a poll
			t.Fatalf("the guest is still there: %v", err)
		}
	}
}

// A runner that is killed leaves no guest, though the guest runs as another user.
func TestKilledRunner(t *testing.T) {
	id := testID(t)
	runner := runnerOf(t, id)
	fd, err := unix.PidfdOpen(guestPID(t, id), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	start := time.Now()
	if err := runner.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, fd)
	t.Logf("gone after %v", time.Since(start))
	_ = runner.Wait()
	if !isGone(t, id) {
		t.Error("a process is left")
	}
}

// A guest is switched off by its id from a process that did not start it; others are left alone.
func TestOffElsewhere(t *testing.T) {
	id := testID(t)
	runnerOf(t, id)
	other := newTestGuest(testOptions(id[:len(id)-1]))
	if err := other.Off(t.Context()); err != nil || isGone(t, id) {
		t.Fatalf("a shorter id: %v", err)
	}
	if err := newTestGuest(testOptions(id)).Off(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !isGone(t, id) {
		t.Error("the guest is still there")
	}
	if err := Kill(t.Context(), id); err != nil {
		t.Errorf("nothing to kill: %v", err)
	}
	if err := Kill(t.Context(), "../x y"); err == nil {
		t.Error("a bad id is killed")
	}
}

// The process may do nothing it need not: user, groups, system calls, environment, core dumps.
func TestConfinement(t *testing.T) {
	t.Setenv("GANTRY_TEST_SECRET", "hunter2")
	g := newGuest(t, testOptions(testID(t)), shellInit)
	if err := g.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d/", guestPID(t, g.ID()))
	read := func(name string) string {
		b, err := os.ReadFile(proc + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	status := map[string]string{}
	for line := range strings.Lines(read("status")) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
		status[k] = strings.Join(strings.Fields(v), " ")
	}
	if status["Seccomp"] != "2" || status["NoNewPrivs"] != "1" {
		t.Errorf("no sandbox: Seccomp %s, NoNewPrivs %s", status["Seccomp"], status["NoNewPrivs"])
	}
	if os.Geteuid() == 0 {
		want := "65534 65534 65534 65534"
		if status["Uid"] != want || status["Gid"] != want || status["Groups"] != "" ||
			status["CapEff"] != "0000000000000000" {
			t.Errorf("Uid %s, Gid %s, Groups %q, CapEff %s", status["Uid"], status["Gid"], status["Groups"], status["CapEff"])
		}
	}
	if env := read("environ"); strings.Contains(env, "hunter2") || strings.Contains(env, "GANTRY") {
		t.Errorf("environment: %q", env)
	}
	if limits := read("limits"); !strings.Contains(limits, "Max core file size        0                    0") {
		t.Errorf("limits:\n%s", limits)
	}
	if adj := strings.TrimSpace(read("oom_score_adj")); adj != "500" {
		t.Errorf("oom_score_adj %s", adj)
	}
	pgid, err := unix.Getpgid(guestPID(t, g.ID()))
	if err != nil || pgid == unix.Getpgrp() {
		t.Errorf("process group %d, %v", pgid, err)
	}
	if cmdline := read("cmdline"); strings.Contains(cmdline, filepath.Dir(g.spec.Images["ramdisk"])) {
		t.Errorf("the command line names the image: %q", cmdline)
	}
}

// A guest that powers itself off: the console ends, Wait says why, and it can be switched on again.
func TestGuestEnds(t *testing.T) {
	t.Parallel()
	var events []string
	o := testOptions(testID(t))
	o.OnEvent = func(e Event) { events = append(events, e.Name) }
	g := newGuest(t, o, "#!/bin/sh\nmount -t devtmpfs d /dev\necho last-words >/dev/ttyS0\npoweroff -f\n")
	c, err := g.Open(t.Context()) // before On: nothing is missed
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := g.On(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c == nil {
			if c, err = g.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		all, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(all), "last-words") {
			t.Errorf("%v, the console says %q", err, all)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // after the console's end there is nothing to wait for
		end, err := g.Wait(ctx)
		if err != nil || end.Status != 0 || end.Stopped || end.Reason != "guest-shutdown" {
			t.Errorf("end %+v, %v", end, err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, vm.ErrOff) {
			t.Errorf("write to a guest that is off: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c = nil
	}
	if !strings.Contains(strings.Join(events, " "), "SHUTDOWN") {
		t.Errorf("events %q", events)
	}
}

// What the guest writes to a disk is on the host's file, and a read-only one stays as it is.
func TestDisk(t *testing.T) {
	t.Parallel()
	g := newGuest(t, testOptions(testID(t)), shellInit)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil { // the guest's user may not even enter
		t.Fatal(err)
	}
	disk, ro := filepath.Join(dir, "a disk, with=a comma.img"), filepath.Join(dir, "ro.img")
	for _, p := range []string{disk, ro} {
		if err := os.WriteFile(p, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.Image("disk", disk)
	g.Image("ro", ro)
	for _, c := range []string{"-drive file={disk},if=none,id=d", "-hdb {ro} -snapshot"} {
		g := newTestGuest(testOptions(testID(t) + "-x"))
		g.Image("disk", disk)
		g.Image("ro", ro)
		if err := g.Args(c); err != nil {
			t.Fatal(err)
		}
		for range 2 { // off and on again
			if err := g.On(t.Context()); err != nil {
				t.Errorf("%s: %v", c, err)
			}
			if err := g.Off(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if err := g.Args(
		"-drive file={disk},if=none,id=d -device nvme,drive=d,serial=one",
		"-drive file={ro},if=none,id=r,readonly=on -device nvme,drive=r,serial=two",
	); err != nil {
		t.Fatal(err)
	}
	if err := g.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := newTestGuest(testOptions(testID(t) + "-other"))
	other.Image("disk", disk)
	if err := other.Args("-hda {disk}"); err != nil {
		t.Fatal(err)
	}
	if err := other.On(t.Context()); err == nil || !strings.Contains(err.Error(), "another guest") {
		t.Errorf("two guests write to one disk: %v", err)
	}
	c, err := g.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	await(t, c, "guest-is-up")
	if _, err := io.WriteString(
		c,
		"for d in /sys/block/nvme*; do echo $d; done; echo written-by-guest >/dev/nvme0n1; "+
			"dd if=/dev/zero of=/dev/nvme1n1 count=1; dd if=/dev/nvme0n1 of=/dev/null count=1; echo sync-done\n",
	); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", await(t, c, "sync-done"))
	if _, err := io.WriteString(c, "poweroff -f\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(disk)
	if err != nil || !strings.HasPrefix(string(b), "written-by-guest\n") {
		t.Errorf("the disk begins with %q, %v", b[:32], err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// An ended context ends On, and nothing is left.
func TestOnCanceled(t *testing.T) {
	g := newGuest(t, testOptions(testID(t)), shellInit)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("changed my mind")
	cancel(cause)
	if err := g.On(ctx); err != nil && !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	} else if err != nil && !isGone(t, g.ID()) {
		t.Error("a process is left")
	}
}
