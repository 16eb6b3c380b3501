package schema

import (
	"errors"
	"fmt"
	"strings"
)

// Mode says what happens to undeclared keys.
type Mode int

// The modes. Strict is the zero value.
const (
	Strict  Mode = iota // an unknown key is an error
	Lenient             // unknown keys are let through, as LAVA does without --strict
)

// Problem is one fault of a file, with its place.
type Problem struct {
	Line       int    `json:"line"`   // 1-based
	Column     int    `json:"column"` // 1-based, in runes
	Path       string `json:"path"`   // in the file, such as actions[0].deploy.images.kernel.url
	Message    string `json:"message"`
	Found      string `json:"found"`
	Expected   string `json:"expected"`
	Suggestion string `json:"suggestion"`
	Excerpt    string `json:"-"` // the source line
}

// String is the problem without its excerpt: line:column: path: message.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Suggestion)
	}
	return b.String()
}

// Report is what reading a file found. Errors are in the order in which LAVA's validator meets them.
type Report struct {
	Errors   []Problem `json:"errors"`
	Warnings []Problem `json:"warnings"`
}

// Full says that the report has as many errors as it takes.
func (r *Report) Full() bool { return len(r.Errors) >= maxProblems }

// Valid reports whether there are no errors; warnings do not count.
func (r *Report) Valid() bool { return len(r.Errors) == 0 }

// Err is nil for a valid file; else an error with one line a problem.
func (r *Report) Err() error {
	if r.Valid() {
		return nil
	}
	lines := make([]string, len(r.Errors))
	for i, p := range r.Errors {
		lines[i] = p.String()
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Place fills in the excerpts from the source the report is about.
func (r *Report) Place(src []byte) {
	lines := strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	for _, list := range [][]Problem{r.Errors, r.Warnings} {
		for i := range list {
			if n := list[i].Line; n >= 1 && n <= len(lines) {
				list[i].Excerpt = clip(lines[n-1], maxExcerpt)
			}
		}
	}
}

// maxExcerpt bounds how much of a hostile line is repeated, in runes.
const maxExcerpt = 200

// clip shortens s to at most n runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// Position is a place in a file: 1-based line, and column in runes.
type Position struct{ Line, Column int }
