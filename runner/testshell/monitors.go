package testshell

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// monitors read the results that a program without a shell prints between two lines.
func monitors(b *plan.Builder, p *jobs.TestMonitors) {
	b.Name("lava-test-monitor-retry")
	b.Budget()
	session := plan.Require(b, flow.Shell)
	var all []monitor
	for i := range p.Monitors {
		all = append(all, newMonitor(b, &p.Monitors[i]))
	}
	notRun := func(r *plan.Run, from int, why string) {
		for _, m := range all[from:] {
			reportNotRun(r, m.Name, m.Expected, why)
		}
	}
	b.NotRun(func(r *plan.Run, why string) { notRun(r, 0, why) })
	b.Step("lava-test-monitor", results.ClassTest, func(ctx context.Context, r *plan.Run) error {
		for i := range all {
			if err := all[i].run(ctx, r, session); err != nil {
				notRun(r, i+1, "the block ended before it")
				return err
			}
		}
		return nil
	})
}

// monitor is a suite between two lines.
type monitor struct {
	*jobs.Monitor
	start *console.Patterns
	next  *console.Patterns // the end, or a case
}

// What a monitor waits for, by index of next.
const (
	atEnd = iota
	atCase
)

func newMonitor(b *plan.Builder, m *jobs.Monitor) monitor {
	out := monitor{Monitor: m}
	compile := func(what string, patterns ...string) *console.Patterns {
		p, err := console.Compile(patterns...)
		if err != nil {
			b.ErrorAt(m.Line, "%s: %s: %w", m.Name, what, err)
		}
		return p
	}
	out.start = compile("start", m.Start)
	out.next = compile("end and pattern", m.End, m.Pattern)
	if re, err := regexp.Compile(m.Pattern); err == nil {
		for _, group := range []string{"test_case_id", "result", "measurement"} {
			if re.SubexpIndex(group) >= 0 {
				continue
			}
			// A benchmark has no results, only measurements.
			if group == "test_case_id" || group == "result" && re.SubexpIndex("measurement") < 0 {
				b.ErrorAt(m.Line, "%s: pattern: no group (?P<%s>…) in %q", m.Name, group, m.Pattern)
			}
		}
	}
	return out
}

// run reads one suite.
func (m *monitor) run(ctx context.Context, r *plan.Run, s *flow.Session) error {
	start := time.Now()
	at := newSuite(r, s, strings.ToLower(m.Name), m.Expected) // LAVA does not number these
	err := m.read(ctx, at, s.Shell)
	if err != nil && len(m.Expected) == 0 {
		at.missing("end", "the suite did not come to its end: results may be missing")
	}
	at.end(start, err)
	return err
}

func (m *monitor) read(ctx context.Context, at *suite, sh *console.Session) error {
	if _, err := sh.Expect(ctx, m.start); err != nil {
		return fmt.Errorf("wait for the start of %s, %q: %w", m.Name, m.Start, err)
	}
	for n := 0; ; n++ {
		found, err := sh.Expect(ctx, m.next)
		if err != nil {
			return fmt.Errorf("wait for the end of %s, %q: %w", m.Name, m.End, err)
		}
		if found.Index == atEnd {
			return nil
		}
		if n == signal.DefaultMaxCases {
			return results.Failf(results.ClassTest, "%s reports more than %d cases", m.Name, n)
		}
		at.report(m.found(&found))
	}
}

// odd is what LAVA makes an underscore of in the name of a monitored case.
var odd = regexp.MustCompile(`[^\p{L}\p{N}_]+`)

// monitored is the name that LAVA gives a case: dashboards compare by it.
func monitored(s string) string {
	return odd.ReplaceAllString(strings.ToLower(strings.TrimSpace(name(s))), "_")
}

// found makes a case of what the pattern matched.
func (m *monitor) found(at *console.Match) *results.Case {
	c := &results.Case{Case: monitored(at.Named["test_case_id"]), LogLine: &at.Line}
	word, ok := at.Named["result"]
	switch fixed, known := m.Fixupdict[word]; {
	case known:
		word = fixed
	case !ok:
		word = results.Pass
	}
	if c.Result = result(word); c.Result == results.Unknown && word != results.Unknown {
		c.Message = fmt.Sprintf("%.100q is no result, and fixupdict does not say which it means", word)
	}
	c.Measurement = number(at.Named["measurement"])
	if u := at.Named["units"]; u != "" {
		u = name(u)
		c.Units = &u
	}
	return c
}
