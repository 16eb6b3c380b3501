package jobs

import (
	"errors"
	"fmt"
)

// Class says whose fault a failure is. The empty class is no failure.
type Class string

// The classes, as docs and scripts know them.
const (
	ClassTest           Class = "test"           // a case failed, or the code under test broke the system during a test
	ClassJob            Class = "job"            // the commit's artifact or the definition
	ClassInfrastructure Class = "infrastructure" // the lab
	ClassTimeout        Class = "timeout"        // the job's or a test block's budget ran out
	ClassCanceled       Class = "canceled"       // superseded or asked for
	ClassBug            Class = "bug"            // gantry itself
)

// Failure is an error with a class. It is made where the culprit is known; wrapping with %w keeps it.
type Failure struct {
	Class Class
	Err   error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Failf makes a Failure.
func Failf(c Class, format string, a ...any) error { return &Failure{c, fmt.Errorf(format, a...)} }

// Blame gives err the class c unless it has one already: the classification nearest the cause wins.
func Blame(c Class, err error) error {
	if f := (*Failure)(nil); err == nil || errors.As(err, &f) {
		return err
	}
	return &Failure{c, err}
}

// ClassOf is err's class; an error nobody classed is our bug, and nil has none.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if f := (*Failure)(nil); errors.As(err, &f) {
		return f.Class
	}
	return ClassBug
}
