package junit

import (
	"fmt"

	"github.com/gantry-ci/gantry/results"
)

// element is an open one.
type element struct {
	name   string // of the tag
	suite  string // of a testsuite
	counts int    // how many cases it says it has; -1: it does not say
	has    int
	fails  int // how many failures and errors it says it has
	failed int
	line   int
}

// outside is a failure of a testsuite as a whole, as that of a program that ended early.
func (r *reader) outside(name, message string) {
	c := results.Case{Suite: r.suite, Case: name, Result: results.Fail, Message: message, LogLine: r.line()}
	for i := len(r.path) - 1; i >= 0 && c.Set == nil; i-- {
		if suite := r.path[i].suite; suite != "" {
			c.Set = &suite
		}
	}
	r.add(c)
}

// addUnlisted adds the cases that a testsuite counts but does not list.
func (r *reader) addUnlisted(e *element) {
	c := results.Case{Suite: r.suite, LogLine: &e.line}
	if e.suite != "" {
		c.Set = &e.suite
	}
	if missing := e.counts - e.has; missing > 0 {
		c.Case, c.Result = fmt.Sprintf("%d more cases", missing), results.Missing
		c.Message = fmt.Sprintf("the testsuite counts %d cases and holds %d", e.counts, e.has)
		r.add(c)
	}
	if e.fails > 0 && e.failed == 0 {
		c.Case, c.Result = "failures", results.Fail
		c.Message = fmt.Sprintf("the testsuite counts %d failures and errors, and holds none", e.fails)
		r.add(c)
	}
}
