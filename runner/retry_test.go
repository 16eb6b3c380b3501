package runner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/plan"
)

// TestRetry runs the definitions of failed cases again, in the same boot.
func TestRetry(t *testing.T) {
	t.Parallel()
	root := images(t)
	const flaky = `"lava-test-case steady --shell true", "lava-test-case flaky --shell '[ -e /tmp/been ]'", ` +
		`"touch /tmp/been"`
	for _, c := range []struct {
		name, steps string
		known       string
		want        verdict
		noted       []string // of the cases
	}{
		{
			"flaky", "[" + flaky + "]", "",
			verdict{"pass", "", "", "0_smoke/steady=pass 0_smoke/flaky=pass"},
			[]string{"", "flaky"},
		},
		{
			"flaky and failing", "[" + flaky + `, "lava-test-case bad --shell false"]`, "",
			verdict{"fail", results.ClassTest, "0_smoke/bad failed", "0_smoke/steady=pass 0_smoke/flaky=pass 0_smoke/bad=fail"},
			[]string{"", "flaky", ""},
		},
		{
			"a second run that hangs",
			`["lava-test-case bad --shell 'test -e /tmp/been && sleep 1000; touch /tmp/been; false'", ` +
				`"lava-test-case good --shell true"]`,
			"",
			verdict{"incomplete", results.ClassTest, "0_smoke/bad failed", "0_smoke/bad=fail 0_smoke/good=pass"},
			[]string{"", ""},
		},
		{
			"known to fail",
			`["lava-test-case bad --shell false", "echo once >>/tmp/runs", ` +
				`"lava-test-case once --shell '[ $(wc -l </tmp/runs) = 1 ]'"]`,
			"qemu: [{test: 0_smoke/bad, comment: '#42'}]",
			verdict{"pass", "", "", "0_smoke/bad=fail 0_smoke/once=pass"},
			[]string{"known failure", ""},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			known := &results.KnownFailures{}
			if c.known != "" {
				list, report := results.ParseKnownFailures([]byte(c.known), time.Now())
				if err := report.Err(); err != nil {
					t.Fatal(err)
				}
				known = list
			}
			res, _ := serve(t, source(t, func(p *params) {
				p.Steps, p.TestSeconds = c.steps, 60
			}), plan.Policy{FileRoots: []string{root}}, func(o *runner.Options) {
				o.TestRetries, o.KnownFailures = 1, known
			})
			check(t, res, c.want)
			var notes []string
			for _, x := range res.Cases {
				if x.Suite != results.PipelineSuite {
					notes = append(notes, x.Note)
				}
			}
			if got, want := strings.Join(notes, "|"), strings.Join(c.noted, "|"); got != want {
				t.Errorf("notes %q, want %q", got, want)
			}
		})
	}
}

// TestFailureRetry counts the last try of a test action that is tried again.
func TestFailureRetry(t *testing.T) {
	t.Parallel()
	root := images(t)
	src := source(t, func(p *params) {
		p.Steps = `["lava-test-case a --shell true", "lava-test-case b --shell test -e /tmp/been", ` +
			`"if [ ! -e /tmp/been ]; then touch /tmp/been; lava-test-raise once; fi", "lava-test-case c --shell true"]`
	})
	src = []byte(strings.Replace(string(src), "- test:\n", "- test:\n    failure_retry: 2\n", 1))
	res, dir := serve(t, src, plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{"pass", "", "", "0_smoke/a=pass 0_smoke/b=pass 0_smoke/c=pass"})
	events, err := os.ReadFile(filepath.Join(dir, results.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(events), `"suite":"0_smoke","set":null,"case":"b"`); n != 2 {
		t.Errorf("the record has %d results of b, want that of each try", n)
	}
}
