package kernlog_test

import (
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
)

// TestOrderedRestart restarts in order, on QEMU's PC: that is trouble while something runs that ends by it.
func TestOrderedRestart(t *testing.T) {
	const boot = "\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n\r\nBooting from ROM...\r\n" +
		"Probing EDD (edd=off to disable)... o\x1bc\x1b[?7l\x1b[2J[    0.000000] Linux version 6.1.0-56-cloud-amd64 " +
		"(a@b)\r\n" +
		"[    0.000000] Command line: console=ttyS0\r\n[    0.004100] x86/fpu: x87 FPU\r\n"
	const order = "[    1.992999] reboot: Restarting system\r\n[    1.993082] reboot: machine restart\r\n"
	for name, c := range map[string]struct {
		log   string
		bound bool
		want  string
	}{
		"unexpected":               {boot + boot, false, "unexpected kernel reboot"},
		"ordered":                  {boot + order + boot, false, ""},
		"ordered, during a test":   {boot + order + boot, true, "unexpected kernel reboot"},
		"the first, during a test": {boot, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			s := kernlog.New(kernlog.Options{
				During: func(int) kernlog.During { return kernlog.During{Section: "test", Bound: c.bound} },
				Found:  func(f results.Finding) { got = append(got, f.Title) },
			})
			_, _ = s.Write([]byte(c.log))
			s.Flush()
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
