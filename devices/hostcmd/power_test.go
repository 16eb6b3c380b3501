package hostcmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Commands run in order, as words and not by a shell, and the first that fails ends it.
func TestPower(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	exists := func(name string) bool {
		_, err := os.Stat(file(name))
		return err == nil
	}
	p := Power{
		Before: []string{"touch '" + file("before") + "'"},
		Give:   []string{"cp " + file("before") + " " + file("on"), `touch "` + file("a&b *") + `"`},
		Reset:  []string{"false"},
		Cut:    []string{"rm -f " + file("on")},
	}
	if err := p.On(t.Context()); err != nil || !exists("on") || !exists("a&b *") {
		t.Errorf("on: %v", err)
	}
	for range 2 {
		if err := p.Off(t.Context()); err != nil || exists("on") {
			t.Errorf("off: %v", err)
		}
	}
	p = Power{Reset: []string{"touch " + file("reset")}}
	if err := errors.Join(p.On(t.Context()), p.Off(t.Context())); err != nil || !exists("reset") {
		t.Errorf("with a reset alone: %v", err)
	}
	p = Power{Give: []string{"ls " + file("missing"), "touch " + file("never")}}
	if err := p.On(t.Context()); err == nil || !strings.Contains(err.Error(), "No such file") || exists("never") {
		t.Errorf("a command that fails: %v", err)
	}
}

// A command that hangs ends with its context, and so does what it started.
func TestPowerHangs(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("given up")
	cancel(cause)
	if err := (Power{Cut: []string{`sh -c "sleep 1000 & wait"`}}).Off(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}
