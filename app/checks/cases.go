package checks

import (
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/results"
)

// suites adds the table of suites, with the counts of their results.
func suites(p *page, runs []Run) {
	type key struct {
		run   int
		suite string
	}
	var order []key
	counts := map[key]map[string]int{}
	for i, r := range runs {
		if r.Results == nil {
			continue
		}
		for _, c := range r.Results.Cases {
			k := key{i, c.Suite}
			if c.Suite == results.PipelineSuite {
				continue
			}
			if counts[k] == nil {
				counts[k], order = map[string]int{}, append(order, k)
			}
			counts[k][c.Result]++
		}
	}
	if len(order) == 0 {
		return
	}
	p.line("\n| Suite | Run | Pass | Fail | Skip | Unknown | Missing |\n|---|---|--:|--:|--:|--:|--:|")
	for _, k := range order {
		n := counts[k]
		p.line("| %s | %s | %d | %d | %d | %d | %d |", code(k.suite, maxName), text(runs[k.run].Name, maxName),
			n[results.Pass], n[results.Fail], n[results.Skip], n[results.Unknown], n[results.Missing])
	}
}

// cases is the table of all cases. Those that did not pass come first, since the end may be cut off.
func cases(runs []Run) string {
	p := &page{limit: ghapi.MaxText}
	for _, passed := range []bool{false, true} {
		head := false
		for _, r := range runs {
			if r.Results == nil {
				continue
			}
			for _, c := range r.Results.Cases {
				if (c.Result == results.Pass) != passed || passed && c.Suite == results.PipelineSuite {
					continue
				}
				if !head {
					p.line("\n| Suite | Case | Result | Measurement | Time | Console line |\n|---|---|---|--:|--:|--:|")
					head = true
				}
				p.line("| %s | %s | %s | %s | %s | %s |", code(c.Suite, maxName), code(caseName(c), maxName), result(c),
					measurement(c), seconds(c.DurationS), consoleLineOf(c))
			}
		}
	}
	return p.String()
}

func caseName(c results.Case) string {
	if c.Set != nil {
		return *c.Set + "/" + c.Case
	}
	return c.Case
}

func result(c results.Case) string {
	out := text(c.Result, maxName)
	if c.Fails() || c.Result == results.Missing {
		out = "**" + out + "**"
	}
	if c.Note != "" {
		out += " (" + text(strings.TrimSuffix(c.Note+": "+c.Known, ": "), maxName) + ")"
	}
	return out
}

func measurement(c results.Case) string {
	if c.Measurement == nil {
		return ""
	}
	out := c.Amount()
	if c.Units != nil {
		out += " " + text(*c.Units, maxName)
	}
	return out
}

func seconds(s *float64) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%.2f s", *s)
}

// consoleLineOf is the line of the case's result, "" where it has none.
func consoleLineOf(c results.Case) string {
	if c.LogLine == nil {
		return ""
	}
	return Line{Log: c.Log, Line: *c.LogLine}.Short()
}

// suiteName splits the name of a suite as LAVA makes it, such as "0_smoke", into the definition's index and name.
func suiteName(suite string) (index int, name string, ok bool) {
	n, name, ok := strings.Cut(suite, "_")
	if !ok {
		return 0, "", false
	}
	_, err := fmt.Sscanf(n, "%d", &index)
	return index, name, err == nil && index >= 0
}
