package hostcmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	p = Power{Reset: []string{"touch " + file("reset")}, Cut: []string{"rm " + file("reset")}}
	if err := p.On(t.Context()); err != nil || !exists("reset") {
		t.Errorf("on with a reset alone: %v", err)
	}
	if err := p.Off(t.Context()); err != nil || exists("reset") {
		t.Errorf("off: %v", err)
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

// What cannot be done is no success: whoever asks would believe the board is off.
func TestPowerWithoutCommands(t *testing.T) {
	for name, p := range map[string]Power{
		"none": {}, "reset": {Reset: []string{"true"}}, "on": {Give: []string{"true"}}, "before": {Before: []string{"true"}},
	} {
		if err := p.Off(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no command") {
			t.Errorf("%s: off: %v", name, err)
		}
		if err := p.On(t.Context()); (err == nil) != (name == "reset" || name == "on") {
			t.Errorf("%s: on: %v", name, err)
		}
	}
}

// A command that hangs, or fails, leaves those after it their time: the board may be off all the same.
func TestOffGoesOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	file := filepath.Join(t.TempDir(), "on")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Power{Cut: []string{"sleep 1000", "false", "rm " + file}}.Off(ctx)
	if err == nil || !strings.Contains(err.Error(), `run "sleep": it did not end within`) ||
		!strings.Contains(err.Error(), `run "false": exit status 1`) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the last command: %v", err)
	}
}

// Of what a command prints, the end is kept, whatever the length.
func TestOutput(t *testing.T) {
	err := Power{Cut: []string{`sh -c "yes | head -c 3000000; echo broken; exit 3"`}}.Off(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "broken") || len(err.Error()) > 2*tailSize {
		t.Errorf("got %.3000v", err)
	}
}

// What a command is given may be a secret, and is in no error.
func TestPowerSecret(t *testing.T) {
	for _, c := range []string{"false hunter2", "/nowhere/pdu hunter2", `false "hunter2`} {
		p := Power{Give: []string{c}, Cut: []string{c}}
		for _, err := range []error{p.On(t.Context()), p.Off(t.Context())} {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", c, err)
			}
		}
	}
}
