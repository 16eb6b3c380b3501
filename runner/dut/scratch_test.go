package dut_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// A second back end of guests, all of it in this file: it takes what qemuarg has a field for and refuses the rest where
// the job says it, as a back end must that writes no command line of QEMU's. It starts QEMU by a shell that kills it
// when its runner goes. It is no product: it confines nothing, and trusts its job.

// scratchMaker is its row in the table.
func scratchMaker() dut.Maker {
	return dut.Maker{
		Name:  "a scratch guest (type scratch)",
		Takes: func(d *jobs.Device) bool { return d.Type == "scratch" },
		Make: func(_ *jobs.Device, o dut.Options) (*dut.Target, error) {
			return dut.GuestTarget(newScratch(o.ID), "scratch-guest", false), nil
		},
		Undoers: func(dut.Options) journal.Undoers {
			return journal.Undoers{"scratch-guest": func(_ context.Context, id string) error { return killScratch(id) }}
		},
	}
}

type scratch struct {
	id string
	mu sync.Mutex
	of map[string]*scratchGuest
}

func newScratch(id string) *scratch { return &scratch{id: id, of: map[string]*scratchGuest{}} }

func (s *scratch) Guest(name string) vm.Guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[name] == nil {
		s.of[name] = &scratchGuest{id: vm.ID(s.id, name)}
	}
	return s.of[name]
}

func (s *scratch) Off(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.of {
		if g.id == id {
			return g.Off(ctx)
		}
	}
	return killScratch(id)
}

func (s *scratch) Check(spec vm.Spec) error {
	_, err := readScratch(spec)
	return err
}

// CheckTogether accepts all: it trusts its job.
func (s *scratch) CheckTogether([]vm.Spec) error { return nil }

// readScratch makes fields of a spec, and refuses what has none.
func readScratch(s vm.Spec) (m qemuarg.Machine, err error) {
	var all []qemuarg.Option
	for i, arg := range s.Args {
		opts, err := qemuarg.Parse(arg, qemuarg.FromJob)
		for j := range opts {
			opts[j].Index = i
		}
		if err == nil {
			m, err = qemuarg.Read(opts)
		}
		for _, o := range m.Rest {
			err = qemuarg.Refuse(o, "this back end has no word for -"+o.Name)
		}
		for _, d := range m.Drives {
			err = qemuarg.Refuse(d.Option, "this back end has no disks")
		}
		for _, f := range []string{m.Kernel, m.Initrd} {
			if _, ok := s.Images[strings.Trim(f, "{}")]; f != "" && !ok {
				err = &qemuarg.ArgumentError{Argument: arg, Reason: "not an image of this run: " + f}
			}
		}
		if m.MemoryMiB > 1024 {
			err = &qemuarg.ArgumentError{Argument: arg, Reason: "too much memory"}
		}
		if e, ok := errors.AsType[*qemuarg.ArgumentError](err); ok {
			e.Source, e.Index = string(qemuarg.FromJob), i
		}
		if err != nil {
			return m, err
		}
		all = append(all, opts...)
	}
	return qemuarg.Read(all)
}

type scratchGuest struct {
	id string

	mu      sync.Mutex
	life    *scratchLife
	console *scratchLine // of the life now, or of the coming one
	results *scratchLine
}

type scratchLife struct {
	cmd  *exec.Cmd
	keep *os.File // the shell kills QEMU when it is closed
	done chan struct{}
	end  vm.End
	off  bool
}

func (l *scratchLife) running() bool {
	select {
	case <-l.done:
		return false
	default:
		return true
	}
}

func (g *scratchGuest) ID() string { return g.id }

func (g *scratchGuest) Describe(_ context.Context, s vm.Spec) (vm.Execution, error) {
	_, err := readScratch(s)
	return vm.Execution{Accel: vm.Accel{Used: "tcg", Why: "it is all that this back end has"}}, err
}

// guard ends QEMU, the process group, with the runner: nobody else holds the other end of descriptor 3.
const guard = `(read -r x <&3; kill -9 0) & exec 3<&-; "$@"; kill -9 $!`

func (g *scratchGuest) On(ctx context.Context, s vm.Spec) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.life != nil && g.life.running() {
		return vm.ErrOn
	}
	m, err := readScratch(s)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	image := func(name string) string { return s.Images[strings.Trim(name, "{}")] }
	argv := []string{
		"-c", guard, "sh", "qemu-system-x86_64", "-name", "scratch-" + g.id, "-nodefaults", "-display", "none", "-serial",
		"stdio", "-m", strconv.Itoa(max(m.MemoryMiB, 256)), "-kernel", image(m.Kernel), "-initrd", image(m.Initrd),
		"-append", m.Append + " no_timer_check",
	}
	down, keep, err := os.Pipe()
	if err != nil {
		return err
	}
	if g.console == nil || g.console.over {
		g.console = newScratchLine()
	}
	g.results = nil
	if s.Results {
		g.results = newScratchLine()
	}
	l := &scratchLife{keep: keep, done: make(chan struct{})}
	l.cmd = exec.CommandContext(context.WithoutCancel(ctx), "sh", argv...)
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	l.cmd.ExtraFiles = []*os.File{down}
	l.cmd.Stdout, l.cmd.Stdin = g.console.toUs, g.console.fromUs
	err = l.cmd.Start()
	_ = down.Close()
	if err != nil {
		return errors.Join(err, keep.Close())
	}
	g.life = l
	go g.reap(l, g.console, g.results)
	return nil
}

// reap waits for the end, says how it was, and only then ends the lines.
func (g *scratchGuest) reap(l *scratchLife, lines ...*scratchLine) {
	_ = l.cmd.Wait()
	g.mu.Lock()
	l.end = vm.End{Stopped: l.off, Status: l.cmd.ProcessState.ExitCode(), Reason: "guest-shutdown"}
	if !l.off { // the shell kills its guard, which is no failure of the guest's
		l.end.Status = max(0, l.end.Status)
	}
	close(l.done)
	for _, line := range lines {
		if line != nil {
			line.finish()
		}
	}
	g.mu.Unlock()
	_ = l.keep.Close()
}

func (g *scratchGuest) Off(context.Context) error {
	g.mu.Lock()
	l := g.life
	if l == nil || !l.running() {
		g.mu.Unlock()
		return killScratch(g.id)
	}
	l.off = true
	g.mu.Unlock()
	err := killScratch(g.id)
	<-l.done
	return err
}

func (g *scratchGuest) Wait(ctx context.Context) (vm.End, error) {
	g.mu.Lock()
	l := g.life
	g.mu.Unlock()
	if l == nil {
		return vm.End{}, vm.ErrOff
	}
	select {
	case <-l.done:
	case <-ctx.Done():
		if l.running() {
			return vm.End{}, context.Cause(ctx)
		}
	}
	return l.end, nil
}

func (g *scratchGuest) Open(context.Context) (io.ReadWriteCloser, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.console == nil || g.console.over && g.console.used {
		g.console = newScratchLine()
	}
	return g.console.open()
}

func (g *scratchGuest) OpenResults(context.Context) (io.ReadWriteCloser, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.results == nil {
		return nil, vm.ErrNoResults
	}
	return g.results.open()
}

// scratchLine is a line of one life: pipes, and one reader at a time.
type scratchLine struct {
	from, toUs, fromUs, to *os.File
	used, over             bool
	mu                     sync.Mutex
	reader                 *scratchReader
}

func newScratchLine() *scratchLine {
	l := &scratchLine{}
	var err, err2 error
	l.from, l.toUs, err = os.Pipe()
	l.fromUs, l.to, err2 = os.Pipe()
	if err := errors.Join(err, err2); err != nil {
		panic(err) // a test's host has descriptors
	}
	return l
}

func (l *scratchLine) finish() {
	l.over = true
	_, _ = l.toUs.Close(), l.fromUs.Close()
}

func (l *scratchLine) open() (io.ReadWriteCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reader != nil {
		return nil, errors.New("it is open already")
	}
	l.used = true
	l.reader = &scratchReader{line: l}
	return l.reader, l.from.SetReadDeadline(time.Time{})
}

type scratchReader struct {
	line   *scratchLine
	closed bool
}

func (r *scratchReader) Read(b []byte) (int, error) { return r.line.from.Read(b) }

func (r *scratchReader) Write(b []byte) (int, error) {
	n, err := r.line.to.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		err = fmt.Errorf("write: %w", vm.ErrOff)
	}
	return n, err
}

func (r *scratchReader) Close() error {
	r.line.mu.Lock()
	defer r.line.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed, r.line.reader = true, nil
	return r.line.from.SetReadDeadline(time.Unix(1, 0))
}

// scratchPIDs are the QEMUs with an id.
func scratchPIDs(id string) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range all {
		b, _ := os.ReadFile(f)
		if bytes.Contains(b, []byte("\x00scratch-"+id+"\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// killScratch kills the shell and QEMU, and waits until they are gone.
func killScratch(id string) error {
	for _, pid := range scratchPIDs(id) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	for end := time.Now().Add(10 * time.Second); len(scratchPIDs(id)) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%s is still there", id)
		}
	}
	return nil
}
