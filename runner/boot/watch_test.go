package boot

import (
	"testing"

	"github.com/gantry-ci/gantry/runner/plan"
)

// What breaks while another system boots has broken during its own tests, if it had any.
func TestSection(t *testing.T) {
	for _, c := range []struct {
		name, namespace, running, section string
		tested                            bool
		want                              string
	}{
		{"its own boot", "one", "one", "boot", false, "boot"},
		{"its own boot, again", "one", "one", "boot", true, "boot"},
		{"its own test", "one", "one", "test", true, "test"},
		{"another's boot, never tested", "one", "two", "boot", false, "boot"},
		{"another's boot, tested", "one", "two", "boot", true, "test"},
		{"another's deploy, tested", "one", "two", "deploy", true, "test"},
		{"another's test", "one", "two", "test", false, "test"},
		{"no namespaces", "", "", "test", false, "test"},
	} {
		step := plan.Step{Namespace: c.running, Section: c.section}
		if got := section(c.namespace, step, c.tested); got != c.want {
			t.Errorf("%s: section %q, want %q", c.name, got, c.want)
		}
	}
}
