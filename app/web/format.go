package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/results"
)

// functions are the functions that the templates call.
func functions() template.FuncMap {
	return template.FuncMap{
		"when": func(ms int64) string {
			if ms == 0 {
				return ""
			}
			return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05 UTC")
		},
		"stamp": func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") },
		"short": func(sha string) string { return sha[:min(len(sha), 12)] },
		"name": func(c results.Case) string {
			if c.Set != nil {
				return *c.Set + "/" + c.Case
			}
			return c.Case
		},
		"measured": func(c results.Case) string {
			if c.Measurement == nil {
				return ""
			}
			if c.Units == nil {
				return c.Amount()
			}
			return c.Amount() + " " + *c.Units
		},
		"seconds": func(s *float64) string {
			if s == nil {
				return ""
			}
			return fmt.Sprintf("%.2f", *s)
		},
		"at":   func(id, log string, line int) checks.Line { return checks.Line{RunID: id, Log: log, Line: line} },
		"text": func(s string) string { return readable([]byte(s)) },
		"during": func(f results.Finding) string {
			if f.Suite == "" {
				return f.Section
			}
			return strings.TrimSuffix(f.Suite+"/"+f.Case, "/")
		},
		"shade": func(c results.Case) string {
			switch {
			case c.Fails():
				return results.Fail
			case c.Note != "" && (c.HasNote(results.NoteKnown) || c.HasNote(results.NoteFlaky)):
				return results.Unknown
			}
			return c.Result
		},
		"remark": func(c results.Case) string {
			if c.Known != "" && c.Message != "" {
				return c.Known + "; " + c.Message
			}
			return c.Known + c.Message
		},
	}
}
