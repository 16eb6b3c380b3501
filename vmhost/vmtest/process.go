package vmtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/vmhost/vm"
)

// holdEnv makes the test binary another runner: it switches a guest of that id on and holds it.
const holdEnv = "GANTRY_VMTEST_HOLD"

func held() string { return os.Getenv(holdEnv) }

// What the other runner says, at the end of a line.
const (
	isOn   = "vmtest: on"
	isGone = "vmtest: gone"
)

// hold switches a guest on, and says so, and when it is gone.
func hold(t *testing.T, b Backend, id string) {
	g := b.New(id, noKVM).Guest("")
	if err := g.On(t.Context(), b.Spec("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(os.Stdout, isOn); err != nil {
		t.Fatal(err)
	}
	end, err := g.Wait(t.Context())
	if _, err := fmt.Fprintln(os.Stdout, isGone, end, err); err != nil {
		t.Fatal(err)
	}
}

// other is another runner, which holds a guest.
type other struct {
	*exec.Cmd
	lines *bufio.Scanner
}

// start starts another runner and waits until its guest is on.
func start(t *testing.T, id string) *other {
	t.Helper()
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+regexp.QuoteMeta(top)+"$", "-test.v")
	cmd.Env = append(os.Environ(), holdEnv+"="+id)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	o := &other{cmd, bufio.NewScanner(io.LimitReader(out, 1<<20))}
	o.await(t, isOn)
	return o
}

// await reads what the other runner says up to a word.
func (o *other) await(t *testing.T, word string) {
	t.Helper()
	timer := time.AfterFunc(bootLimit, func() { _ = o.Process.Kill() })
	defer timer.Stop()
	var said []string
	for o.lines.Scan() {
		said = append(said, o.lines.Text())
		if strings.Contains(o.lines.Text(), word) {
			return
		}
	}
	t.Fatalf("waiting for %q: the other runner says\n%s", word, strings.Join(said, "\n"))
}

// elsewhere switches a guest off that another process started, by its id, and no other guest.
func elsewhere(t *testing.T, b Backend) {
	id := id(t)
	o := start(t, id)
	for _, not := range []string{id[:len(id)-1], id + "0", vm.ID(id, "second")} {
		guests := b.New(not, noKVM)
		err := errors.Join(guests.Guest("").Off(t.Context()), guests.Off(t.Context(), not))
		if err != nil || !b.Running(id) {
			t.Fatalf("%s is switched off, and %s with it: %v", not, id, err)
		}
	}
	if err := b.New("another", noKVM).Off(t.Context(), id); err != nil || b.Running(id) {
		t.Errorf("the guest of another process is still there: %v", err)
	}
	o.await(t, isGone)
}

// goneLimit is how long a guest may outlive its runner.
const goneLimit = 30 * time.Second

// killed kills a runner: its guest goes with it.
func killed(t *testing.T, b Backend) {
	id := id(t)
	o := start(t, id)
	off(t, b.New(id, noKVM).Guest("")) // of which nothing is left then
	if err := o.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = o.Wait()
	// There is no event for the end of a process that is not ours.
	for end := time.Now().Add(goneLimit); b.Running(id); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the guest is there %s after its runner was killed", goneLimit)
		}
	}
}
