package lavaequal

import (
	"fmt"
	"strings"
	"time"
)

// row is a job that ran on both.
type row struct {
	name        string
	lava, ours  Outcome
	equal       int
	differences []Difference
}

// table is what a run of all jobs showed, as Markdown.
type table []row

func (t table) String() string {
	var b strings.Builder
	t.cases(&b)
	t.reasons(&b)
	t.endings(&b)
	return b.String()
}

func (t table) cases(b *strings.Builder) {
	var lava, ours, equal, differ int
	b.WriteString(
		"\nCases, and those of the suite lava that say how a definition went.\n\n| job | LAVA | gantry | equal | allowed " +
			"to differ |\n|---|--:|--:|--:|--:|\n",
	)
	for _, r := range t {
		fmt.Fprintf(
			b, "| %s | %d | %d | %d | %d |\n", r.name, len(r.lava.Results), len(r.ours.Results), r.equal, len(r.differences),
		)
		lava, ours, equal, differ = lava+len(r.lava.Results), ours+len(r.ours.Results), equal+r.equal, differ+len(
			r.differences,
		)
	}
	fmt.Fprintf(b, "| %d jobs | %d | %d | %d | %d |\n", len(t), lava, ours, equal, differ)
}

// reasons lists the differences, those of one reason in one row.
func (t table) reasons(b *strings.Builder) {
	b.WriteString("\n| job | case: LAVA → gantry | right | why |\n|---|---|---|---|\n")
	for _, r := range t {
		var order []string
		cases, right := map[string][]string{}, map[string]string{}
		for _, d := range r.differences {
			if cases[d.Why] == nil {
				order = append(order, d.Why)
			}
			cases[d.Why] = append(cases[d.Why], fmt.Sprintf("`%s`: %s → %s", d.Case, or(d.LAVA), or(d.Gantry)))
			right[d.Why] = d.Right
		}
		for _, why := range order {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.name, strings.Join(cases[why], "; "), right[why], why)
		}
	}
}

func (t table) endings(b *strings.Builder) {
	b.WriteString("\n| job | LAVA | s | gantry | s |\n|---|---|--:|---|--:|\n")
	for _, r := range t {
		fmt.Fprintf(
			b, "| %s | %s | %s | %s | %s |\n", r.name, r.lava.Verdict, seconds(r.lava.Took), r.ours.Verdict,
			seconds(r.ours.Took),
		)
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

func or(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
