package tap

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTools reads what real tools print.
func TestTools(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"node", []string{"--test-reporter=tap", "testdata/sample.mjs"}, `passes # with a hash: pass
fails: fail
skipped: skip "no network"
later: skip (todo) "not done"
nested/inner: pass
nested/deeper/deep: fail
nested/deeper: fail
nested: fail
suite/same: pass
suite/same: pass
suite: pass
`},
		{"bats", []string{"--formatter", "tap", "testdata/sample.bats"}, `passes: pass
fails # with a hash: fail
skipped: skip "no network"
a \ and a tab: pass
`},
		{"bats", []string{"--formatter", "tap13", "testdata/sample.bats"}, `passes: pass
fails # with a hash: fail
skipped: skip "no network"
a \ and a tab: pass
`},
		{"prove", []string{"-v", "testdata/t"}, `testdata/t/a.t/one: pass
testdata/t/a.t/two: fail
testdata/t/a.t/three: skip (todo) "later"
testdata/t/a.t/test-4: skip "not here"
testdata/t/a.t: fail
testdata/t/b.t: skip "no hardware"
testdata/t/c.t/before: pass
testdata/t/c.t/test-2: missing
testdata/t/c.t: fail
`},
		{"prove", []string{"testdata/t"}, `testdata/t/a.t: fail
testdata/t/b.t: skip "no hardware"
testdata/t/c.t: fail
`},
	} {
		t.Run(tc.name+" "+tc.args[0], func(t *testing.T) {
			tool, err := exec.LookPath(tc.name)
			if err != nil {
				t.Skipf("no %s here", tc.name)
			}
			out, _ := exec.CommandContext(t.Context(), tool, tc.args...).Output() // it exits as its tests do
			var got strings.Builder
			for _, s := range show(New("s"), string(out)) {
				got.WriteString(result(s) + "\n")
			}
			if d := cmp.Diff(tc.want, got.String()); d != "" {
				t.Errorf("%s\n%s", d, out)
			}
		})
	}
}

// result is a case without its line, its duration, and what a tool says of a failure in its own words.
func result(s string) string {
	s = s[:strings.LastIndex(s, " @")]
	name, rest, _ := strings.Cut(s, ": ")
	word, why, _ := strings.Cut(rest, " ")
	if took, more, ok := strings.Cut(why, " s"); ok && strings.HasPrefix(took, "in ") {
		why = strings.TrimSpace(more)
	} else if note, after, ok := strings.Cut(why, ") in "); ok {
		_, after, _ = strings.Cut(after, " s")
		why = note + ")" + after
	}
	if word != "skip" || why == "" {
		return name + ": " + word
	}
	return name + ": " + word + " " + why
}
