package web

import (
	"fmt"
	"html/template"
	"time"

	"github.com/gantry-ci/gantry/jobs"
)

// functions are what the templates call.
func functions() template.FuncMap {
	return template.FuncMap{
		"when": func(ms int64) string {
			if ms == 0 {
				return ""
			}
			return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05 UTC")
		},
		"short": func(sha string) string { return sha[:min(len(sha), 12)] },
		"name": func(c jobs.Case) string {
			if c.Set != nil {
				return *c.Set + "/" + c.Case
			}
			return c.Case
		},
		"measured": func(c jobs.Case) string {
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
		"line": func(n *int) string {
			if n == nil {
				return ""
			}
			return fmt.Sprint(*n)
		},
	}
}
