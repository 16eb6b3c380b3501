package overlay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestResultsDevice gives each record to a device too, from which alone the results can be read.
func TestResultsDevice(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			if name == "mksh" {
				t.Skip("mksh leaves the device alone")
			}
			pipe := filepath.Join(t.TempDir(), "port")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			port, err := os.OpenFile(pipe, os.O_RDWR, 0) // never ends, and never blocks the helpers
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = port.Close() }()
			s := smoke()
			s.ResultsDev = pipe
			console, _ := read(runStage(t, sh, s))
			device := ""
			for b := make([]byte, 1<<16); !strings.Contains(device, "MANIFEST 0.16 "); { // the copies may come after the end
				n, err := port.Read(b)
				if err != nil {
					t.Fatal(err)
				}
				device += string(b[:n])
			}
			for line := range strings.Lines(device) {
				if line != "\n" && !strings.HasPrefix(line, "@tok <") {
					t.Errorf("the device has %q", line)
				}
			}
			if got, sum := read(device); sum.Records != 16 ||
				strings.Join(got[:len(console)], " ") != strings.Join(console, " ") {
				t.Errorf("the device has %q, the console %q; summary %+v", got, console, sum)
			}
		})
	}
}

// TestResultsFile gives each record to a file of the overlay too, from which alone the results can be read.
func TestResultsFile(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := smoke()
			s.ResultsFile = true
			console, _ := read(runStage(t, sh, s))
			b, err := os.ReadFile(s.ResultsPath())
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n@tok <GANTRY_"); n != 17 || strings.Count(string(b), "\n") != 2*n {
				t.Errorf("%d lines of 16 records and a manifest:\n%s", n, b)
			}
			if got, sum := read(string(b)); sum.Records != 16 ||
				strings.Join(got[:len(console)], " ") != strings.Join(console, " ") {
				t.Errorf("the file has %q, the console %q; summary %+v", got, console, sum)
			}
		})
	}
}

// TestBlockedDevice has a device that takes nothing: the stage ends as without it, and one writer at most is left
// waiting for each that could open the device.
func TestBlockedDevice(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "port")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			s := smoke()
			want, _ := read(runStage(t, sh, s))
			s.ResultsDev = pipe // nobody reads: opening it waits for ever
			got, sum := read(runStage(t, sh, s))
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("with the device %q, without %q; summary %+v", got, want, sum)
			}
			port, err := os.OpenFile(pipe, os.O_RDONLY|unix.O_NONBLOCK, 0) // lets the writers go
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(pipe); err != nil { // so that none tries again, and waits for ever
				t.Error(err)
			}
			_ = port.Close()
		})
	}
}

// TestNoDevice runs with a device that is not there, or is a mere file: nothing is written, nothing is made.
func TestNoDevice(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, dev := range []string{file, filepath.Join(dir, "none")} {
				s := smoke()
				s.ResultsDev = dev
				if _, sum := read(runStage(t, sh, s)); sum.Records != 16 || !sum.Manifest {
					t.Errorf("%s: %+v", dev, sum)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("%v %v", entries, err)
			}
			if b, err := os.ReadFile(file); err != nil || len(b) > 0 {
				t.Errorf("%q %v", b, err)
			}
		})
	}
}
