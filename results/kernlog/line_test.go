package kernlog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTrace has a test look for kernel trouble, with the shell's trace on (as every definition has it): that it looks
// is no finding, and a kernel that cuts in is one.
func TestTrace(t *testing.T) {
	for name, c := range map[string]struct {
		log  string
		want []string
	}{
		"looked for": {
			"+ dmesg\n++ grep -c 'BUG: unable to handle kernel'\n+ echo 'WARNING: CPU: 0 PID: 1 at a/b.c:1 f+0x1/0x2'\n" +
				"+ test 0 = 0\n",
			nil,
		},
		"cut in": {
			"+ dmesg[    2.000000] BUG: unable to handle kernel NULL pointer dereference at 0000\n" +
				"[    2.000001] RIP: 0010:frob+0x1/0x2\n",
			[]string{"1 null-deref BUG: unable to handle kernel NULL pointer dereference in frob (fatal)"},
		},
		"the kernel's": {
			"[    2.000000] + BUG: unable to handle kernel NULL pointer dereference at 0000\n" +
				"[    2.000001] RIP: 0010:frob+0x1/0x2\n",
			[]string{"1 null-deref BUG: unable to handle kernel NULL pointer dereference in frob (fatal)"},
		},
	} {
		if d := cmp.Diff(c.want, brief(scan(c.log))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
