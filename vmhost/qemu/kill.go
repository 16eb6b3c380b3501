package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// maxCmdline bounds what is read of a process's command line; the kernel's own bound on arguments is near it.
const maxCmdline = 4 << 20

// Kill kills the guest of that id, whoever started it, and returns when it is gone. It is found by its name on its
// command line, never by a remembered process number. That there is none is no error.
func Kill(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("kill guest %s: %w", id, err)
	}
	var errs []error
	for _, p := range procs {
		if pid, err := strconv.Atoi(p.Name()); err == nil && isGuest(pid, id) {
			errs = append(errs, killPID(ctx, pid, id))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("kill guest %s: %w", id, err)
	}
	return nil
}

// isGuest says whether a process was started with the guest's name.
func isGuest(pid int, id string) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil || len(b) > maxCmdline {
		return false
	}
	args := bytes.Split(b, []byte{0})
	for i := 1; i+1 < len(args); i++ {
		if string(args[i]) == "-name" && string(args[i+1]) == namePrefix+id {
			return true
		}
	}
	return false
}

// killPID kills one process. The descriptor holds on to the process, so that a number given to another one in the
// meantime is never killed: it is checked again after it was taken.
func killPID(ctx context.Context, pid int, id string) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !isGuest(pid, id) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	const tick = 100 // milliseconds between checks of ctx
	for end := time.Now().Add(killLimit); time.Now().Before(end); {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, tick)
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for process %d: %w", pid, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for process %d: %w", pid, context.Cause(ctx))
		}
	}
	return fmt.Errorf("process %d is still there %v after it was killed", pid, killLimit)
}
