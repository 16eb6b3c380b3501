package results

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

// StepError is what a step of the plan ended with.
type StepError struct {
	Level, Name string // "2.3.1", "login-action"
	Err         error
}

func (e *StepError) Error() string { return e.Level + " " + e.Name + ": " + e.Err.Error() }
func (e *StepError) Unwrap() error { return e.Err }

// MissingError says that results are missing: the run is incomplete, whatever else it is. Cause is what kept them from
// coming; nil when nothing is known to have, and then the cases and findings may explain it.
type MissingError struct {
	What  string // "0_smoke did not end"
	Cause error
}

func (e *MissingError) Error() string {
	if e.Cause == nil {
		return e.What
	}
	return e.Cause.Error() + " (" + e.What + ")"
}
func (e *MissingError) Unwrap() error { return e.Cause }
