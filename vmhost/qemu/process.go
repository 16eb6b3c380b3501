package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 60 * time.Second // QEMU answers within 0.1 s; a host out of breath may need this
	quitLimit  = 2 * time.Second  // to flush disks, before it is killed
	killLimit  = 30 * time.Second // for the kernel to free the memory of a killed guest
)

// End says how a guest's process ended.
type End struct {
	Status   int    `json:"status"`           // exit status, -1 when killed
	Signal   string `json:"signal,omitempty"` // that killed it
	Stopped  bool   `json:"stopped"`          // by Off
	Reason   string `json:"reason,omitempty"` // QEMU's of its last SHUTDOWN event: guest-shutdown, guest-reset, guest-panic, …
	Panicked bool   `json:"panicked"`         // the guest said so through a pvpanic device
	Stderr   string `json:"stderr,omitempty"` // its last words
}

// ErrNoBinary is a QEMU that is not installed.
var ErrNoBinary = errors.New("QEMU is not installed")

// ExitError is a QEMU that ended instead of starting a guest.
type ExitError struct {
	Binary string
	End
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("%s exited with status %d", e.Binary, e.Status)
	if e.Signal != "" {
		s = fmt.Sprintf("%s was killed by signal %s", e.Binary, e.Signal)
	}
	if e.Stderr != "" {
		s += ": " + e.Stderr
	}
	return s
}

// HostFault tells a host that could not carry the guest from arguments or images that were no good.
func (e *ExitError) HostFault() bool {
	for _, s := range []string{"allocate memory", "No space left", "Too many open files", "access KVM", "Resource temporarily unavailable", "seccomp", "-sandbox"} {
		if strings.Contains(e.Stderr, s) {
			return true
		}
	}
	return e.Signal != ""
}

// process is one life of a guest.
type process struct {
	cmd    *exec.Cmd
	binary string
	qmp    *monitor
	stderr tail
	done   chan struct{} // closed when it is reaped; end is set then
	end    End

	mu       sync.Mutex
	stopped  bool
	reason   string
	panicked bool
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// start starts QEMU and returns when its monitor answers, that is, when the machine is made and runs.
func start(ctx context.Context, o Options, c *Command, s *stream) (*process, error) {
	binary, err := exec.LookPath(o.Machine.Binary)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBinary, err)
	}
	files, err := openFiles(o, c.opts)
	defer files.close()
	if err != nil {
		return nil, err
	}
	conn, control, err := socketPair()
	if err != nil {
		return nil, err
	}
	files.add(control)
	console := s.take()
	files.add(console)
	p := &process{binary: filepath.Base(binary), done: make(chan struct{})}
	p.qmp = newMonitor(conn, func(e Event) { p.event(e, o.OnEvent) })
	argv := render(binary, files.inherit(c.opts, console, control), func(opt option) string { return files.name(opt) })
	p.cmd = command(ctx, o, c, argv, files)
	p.cmd.Stderr = &p.stderr
	if err := p.launch(s); err != nil {
		p.qmp.close()
		return nil, err
	}
	files.close() // the child has its own; so its end is the end of both streams
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// launch starts the process from a thread that lives as long as it does: the kernel kills the child when the thread that started it
// ends, however that comes about.
func (p *process) launch(s *stream) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		if started <- err; err != nil {
			s.ended()
			return
		}
		_ = p.cmd.Wait() // its state says it all
		p.qmp.close()    // after its last event
		p.finish()
		close(p.done)
		s.ended() // only now: who saw the console end may ask how it ended
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("execute %s: %w", p.binary, err)
	}
	return nil
}

// ready waits for the monitor.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("%s did not answer within %v", p.binary, startLimit))
	defer cancel()
	select {
	case <-p.qmp.ready:
		return nil
	case <-p.done:
		return &ExitError{p.binary, p.end}
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return context.Cause(ctx)
}

// event keeps what an end is explained by, and passes everything on.
func (p *process) event(e Event, pass func(Event)) {
	p.mu.Lock()
	switch e.Name {
	case "SHUTDOWN":
		var data struct{ Reason string }
		if json.Unmarshal(e.Data, &data) == nil {
			p.reason = data.Reason
		}
	case "GUEST_PANICKED":
		p.panicked = true
	}
	p.mu.Unlock()
	if pass != nil {
		pass(e)
	}
}

func (p *process) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = End{Stopped: p.stopped, Reason: p.reason, Panicked: p.panicked, Stderr: p.stderr.String(), Status: p.cmd.ProcessState.ExitCode()}
	if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		p.end.Signal = ws.Signal().String()
	}
}

// stop asks QEMU to quit, then kills it, and waits until it is gone.
func (p *process) stop(ctx context.Context) error {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	quit, cancel := context.WithTimeout(ctx, quitLimit)
	defer cancel()
	if _, err := p.qmp.execute(quit, "quit", nil); err == nil || errors.Is(err, errMonitor) {
		select {
		case <-p.done:
			return nil
		case <-quit.Done():
		}
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.binary, err)
	}
	t := time.NewTimer(killLimit)
	defer t.Stop()
	select { // not ctx: a killed process goes, and whoever asked for its end must know
	case <-p.done:
		return nil
	case <-t.C:
		return fmt.Errorf("%s (pid %d) is still there %v after it was killed", p.binary, p.cmd.Process.Pid, killLimit)
	}
}

// shell lowers limits that only the process itself can lower, and makes room for QEMU: no core dumps of a guest's memory, no endless
// files, and the guest first when the host runs out of memory.
const shell = `ulimit -c 0; %s{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$0" "$@"`

// maxFile bounds what a process may make a file grow to, in bytes, when no image is larger.
const maxFile = 64 << 30

func command(ctx context.Context, o Options, c *Command, argv []string, files *files) *exec.Cmd {
	script := fmt.Sprintf(shell, fileLimit(files.largest))
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

func fileLimit(largest int64) string {
	var now syscall.Rlimit
	want := uint64(max(maxFile, 2*largest))
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &now); err != nil || now.Max <= want {
		return "" // stricter already
	}
	return "ulimit -f " + strconv.FormatUint(want/512, 10) + "; "
}

// kvmGroups is the one group a guest needs: that of /dev/kvm.
func kvmGroups(a Accel) []uint32 {
	if a.Used != "kvm" {
		return nil
	}
	var st syscall.Stat_t
	if err := syscall.Stat("/dev/kvm", &st); err != nil || st.Mode&syscall.S_IRWXG == 0 || st.Gid == 0 {
		return nil
	}
	return []uint32{st.Gid}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b[max(0, len(b)-tailSize):]...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.buf), "�"))
}
