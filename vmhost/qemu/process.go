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
	"sync"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

const (
	startLimit = 60 * time.Second // QEMU answers within 0.1 s; a host out of breath may need this
	quitLimit  = 2 * time.Second  // to flush disks, before it is killed
	killLimit  = 30 * time.Second // for the kernel to free the memory of a killed guest
)

// process is one life of a guest.
type process struct {
	cmd    *exec.Cmd
	binary string
	qmp    *monitor
	stderr *plaintext.Tail
	done   chan struct{} // closed when it is reaped; end is set then
	end    vm.End

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
func start(
	ctx context.Context, o Options, c *command, known *formats, streams map[socket]*stream,
) (*process, error) {
	binary, err := exec.LookPath(o.Machine.Binary)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBinary, err)
	}
	files, err := openFiles(o, c, known)
	defer files.close()
	if err != nil {
		return nil, err
	}
	conn, control, err := socketPair()
	if err != nil {
		return nil, err
	}
	files.add(control)
	sockets := map[socket]*os.File{qmpSocket: control}
	for name, s := range streams {
		sockets[name] = s.handOver()
		files.add(sockets[name])
	}
	p := &process{
		binary: filepath.Base(binary), stderr: plaintext.NewTail(tailSize), done: make(chan struct{}),
	}
	p.qmp = newMonitor(conn, func(e Event) { p.event(e, o.OnEvent) })
	argv := render(binary, files.inherit(c.opts, sockets), func(opt option) string { return files.name(opt) })
	p.cmd = launcher(ctx, o, c, argv, files)
	p.cmd.Stderr = p.stderr
	if err := p.launch(streams); err != nil {
		p.qmp.close()
		return nil, err
	}
	files.close() // the child has its own; so its end is the end of all streams
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// launch starts the process from a thread that lives as long as it does: the kernel kills the child when the thread
// that started it ends, however that comes about.
func (p *process) launch(streams map[socket]*stream) error {
	ended := func() {
		for _, s := range streams {
			s.ended()
		}
	}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		if started <- err; err != nil {
			ended()
			return
		}
		_ = p.cmd.Wait() // its state says it all
		p.qmp.close()    // after its last event
		p.finish()
		close(p.done)
		ended() // only now: who saw the console end may ask how it ended
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("execute %s: %w", p.binary, err)
	}
	return nil
}

// ready waits for the monitor.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(
		ctx, startLimit, fmt.Errorf("%s did not answer within %v", p.binary, startLimit),
	)
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
	p.end = vm.End{
		Stopped: p.stopped, Reason: p.reason, Panicked: p.panicked, Stderr: p.stderr.String(),
		Status: p.cmd.ProcessState.ExitCode(),
	}
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
	if _, err := p.qmp.execute(quit, "quit"); err == nil || errors.Is(err, errMonitor) {
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
