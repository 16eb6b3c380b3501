package checks

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
)

// maxAnnotations is how many annotations a check gets. Each 50 cost a request, and nobody reads more.
const maxAnnotations = 200

// Levels of annotations.
const (
	levelWarning = "warning"
	levelFailure = "failure"
)

// AnnotationsOf makes annotations of a file's problems, at their lines.
func AnnotationsOf(path string, r *schema.Report) []ghapi.Annotation {
	var out []ghapi.Annotation
	add := func(level string, ps []schema.Problem) {
		for _, p := range ps {
			if len(out) == maxAnnotations {
				return
			}
			out = append(out, annotation(path, p.Line, level, p.Path, problemText(p)))
		}
	}
	add(levelFailure, r.Errors)
	add(levelWarning, r.Warnings)
	return out
}

func problemText(p schema.Problem) string {
	s := p.Message
	if p.Found != "" || p.Expected != "" {
		s += fmt.Sprintf("\nfound: %s\nexpected: %s", p.Found, p.Expected)
	}
	if p.Suggestion != "" {
		s += "\ndid you mean: " + p.Suggestion
	}
	return s
}

func annotation(path string, line int, level, title, message string) ghapi.Annotation {
	line = max(line, 1)
	if message == "" {
		message = level // GitHub requires one
	}
	return ghapi.Annotation{
		Path: path, StartLine: line, EndLine: line, Level: level,
		Message: plain(message, ghapi.MaxMessage), Title: plain(title, ghapi.MaxTitle),
	}
}

// annotations marks failures at the lines of the job definition that define what failed. If the definition was
// expanded, and so is no file of the repository, they are marked at the job in gantry.yml.
func annotations(v View) []ghapi.Annotation {
	var out []ghapi.Annotation
	for _, r := range v.Runs {
		if r.Results == nil || v.Check.Path == "" {
			continue
		}
		source := parseSource(r.Job)
		add := func(c results.Case, title, message string) {
			line := int(v.Check.Line)
			if line == 0 {
				line = source.line(c)
			}
			if t := target(r); t != "" {
				message += "\non " + t
			}
			out = append(out, annotation(v.Check.Path, line, levelFailure, title, message))
		}
		for _, f := range r.DecisiveFindings() {
			add(results.Case{Suite: f.Suite, Case: f.Case}, f.Title, findingText(f))
		}
		for _, c := range r.Results.Cases {
			if len(out) >= maxAnnotations {
				return out[:maxAnnotations]
			}
			if (c.Fails() || c.Result == results.Missing) && c.Suite != results.PipelineSuite {
				add(c, caseName(c)+" "+describe(category(c)), failureText(c))
			}
		}
	}
	return out[:min(len(out), maxAnnotations)]
}

// failureText says how a case failed.
func failureText(c results.Case) string {
	message := c.Message
	if message == "" {
		message = c.Suite + "/" + caseName(c) + ": " + c.Result
	}
	if c.Known != "" {
		message += "\nThe list of known failures has it, so it should fail: " + c.Known
	}
	return message
}

// maxFindingText is how much of a finding's console lines an annotation has, in bytes. The check has the rest.
const maxFindingText = 2 << 10

// findingText says what a finding is, and where.
func findingText(f results.Finding) string {
	s := fmt.Sprintf("%s at %s", f.Kind, Line{Log: f.File, Line: f.Line})
	switch {
	case f.Suite != "" && f.Case != "":
		s += ", during " + f.Suite + "/" + f.Case
	case f.Suite != "":
		s += ", during " + f.Suite
	case f.Section != "":
		s += ", during " + f.Section
	}
	if f.Denied != "" {
		s += "\ndenied: " + f.Denied
	}
	if f.Text != "" {
		s += "\n" + strings.TrimRight(plaintext.Clip(f.Text, maxFindingText), "\n")
	}
	return s
}

// source is the text of a job definition: its lines, and the numbers of those at which the test definitions begin, in
// the order of the suites.
type source struct {
	lines  []string
	starts []int
}

func parseSource(job []byte) source {
	s := source{lines: strings.Split(string(bytes.ToValidUTF8(job, nil)), "\n")}
	j, _ := jobs.ParseJob(job, schema.Lenient)
	if j == nil {
		return s
	}
	for _, m := range j.Actions {
		if t, ok := m.(*jobs.TestDefinitions); ok {
			for _, d := range t.Definitions {
				s.starts = append(s.starts, d.Line)
			}
		}
	}
	return s
}

// line is the number, from 1, of the line that defines a case: the step that reports it, if the definition is inline,
// else the beginning of the definition.
func (s source) line(c results.Case) int {
	i, _, ok := suiteName(c.Suite)
	if !ok || i >= len(s.starts) {
		return 1
	}
	start, end := s.starts[i], len(s.lines)
	if i+1 < len(s.starts) {
		end = s.starts[i+1] - 1
	}
	for n := max(start, 1); n <= end; n++ {
		if reports(s.lines[n-1], c.Case) {
			return n
		}
	}
	return start
}

// reports tells whether a line of shell reports the case with lava-test-case.
func reports(line, name string) bool {
	fields := strings.Fields(strings.NewReplacer(`"`, " ", `'`, " ", ";", " ").Replace(line))
	for i := range fields[:max(len(fields)-1, 0)] {
		if fields[i] == "lava-test-case" && fields[i+1] == name {
			return true
		}
	}
	return false
}

// Listing lists a file's errors with their lines, in Markdown.
func Listing(path string, r *schema.Report) string {
	p := &page{limit: ghapi.MaxText}
	p.line("%s is refused:\n", code(path, maxName))
	for _, e := range r.Errors {
		p.line("- line %d: %s %s", max(e.Line, 1), code(e.Path, maxName), text(problemText(e), maxMessage))
		if e.Excerpt != "" {
			p.line("  <br>%s", code(e.Excerpt, maxMessage))
		}
	}
	return p.String()
}
