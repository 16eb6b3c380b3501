// Package plan turns a job into a tree of steps for one target, and walks it. A method is one function: it reads its
// part of the language, asks for what it needs, and adds steps. Everything that can be found before power is switched
// is found here: methods that are not implemented, capabilities that the target lacks, data that no earlier action
// provides, and what policy forbids. The walk knows no shells and no tests: it knows places that actions require and
// provide, and whose budget a timeout is.
package plan

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
)

// Do is the work of a leaf. Its error gets the node's blame unless it has a class of its own.
type Do func(ctx context.Context, r *Run) error

// Node is an action of the plan: a leaf with Do, or a branch with Nodes. Levels are LAVA's: "2.1.3" is the third step
// of the first step of the job's second action.
type Node struct {
	Level, Name, Section, Namespace string

	Title      string // "boot qemu": the action as the job has it
	Line       int    // of the job
	Blame      results.Class
	Timeout    time.Duration // of the whole node, all its attempts
	Connection time.Duration // LAVA's connection timeout: the longest silence of one wait on the console
	Skip       bool          // a timeout does not end the job
	Budget     bool          // its time is the job author's to choose: running out of it is class timeout, whatever Blame
	Attempts   int
	Interval   time.Duration // between attempts
	Remarks    []string      // how the execution will differ from what the job says, and why
	Do         Do
	Nodes      []*Node

	// Only of the nodes that are the job's actions.
	requires, provides []any                    // places that it needs filled, and places that it fills
	notRun             func(r *Run, why string) // reports the results that are missing because it was not run
	restore            *restore
}

// restore makes what is in a place usable again, after a timeout that is skipped.
type restore struct {
	place any
	do    Do
}

// namespace is the node's as events have it: "" for the one of actions that name none.
func (n *Node) namespace() string {
	if n.Namespace == jobs.DefaultNamespace {
		return ""
	}
	return n.Namespace
}

// Method executes one method of the language; it reports false for a method of another type.
type Method func(b *Builder, m jobs.Method) bool

// For ties an executor to the language by the type of its parameters.
func For[P jobs.Method](f func(b *Builder, p P)) Method {
	return func(b *Builder, m jobs.Method) bool {
		p, ok := m.(P)
		if ok {
			f(b, p)
		}
		return ok
	}
}

// Plan is a job on one target, for one run.
type Plan struct{ Root *Node }

// Options are what a plan is made of.
type Options struct {
	Job     *jobs.Job
	Target  *dut.Target
	Host    Host
	Policy  Policy
	Methods []Method
	RunID   string // names the run's folder in the guest, and nothing else
}

// Make expands a job. The error has every reason why it cannot run, each with its line; its class is job.
func Make(o Options) (p *Plan, err error) {
	defer func() {
		if x := recover(); x != nil {
			p, err = nil, results.Failf(results.ClassBug, "plan: panic: %v\n%s", x, debug.Stack())
		}
	}()
	if err := bounded(o.Job); err != nil {
		return nil, err
	}
	root := &Node{Name: "job", Attempts: 1, Timeout: o.Job.Timeouts.Job.Duration()}
	s := &state{Options: o, slots: map[any]any{}}
	t := limits{device: o.Target.Timeouts(), job: o.Job.Timeouts}
	for _, m := range o.Job.Actions {
		a := m.Base()
		refused := len(s.errs)
		for range max(1, a.Repeat) {
			n := &Node{
				Name: blockName(a), Title: blockName(a), Section: a.Section, Line: a.Line, Namespace: a.Namespace,
				Attempts: max(1, a.FailureRetry), Interval: time.Duration(a.FailureRetryInterval) * time.Second,
				Skip: a.Timeout.Skip,
			}
			b := &Builder{state: s, index: len(root.Nodes), node: n, action: n, common: a}
			b.expand(m)
			t.apply(n, a, fmt.Sprint(len(root.Nodes)+1), a.Timeout.Duration())
			root.Nodes = append(root.Nodes, n)
			if len(s.errs) > refused {
				break // repeated, it would be refused for the same
			}
		}
	}
	if err := errors.Join(s.errs...); err != nil {
		return nil, results.Blame(results.ClassJob, err)
	}
	return &Plan{root}, nil
}

// maxActions bounds a plan: LAVA's largest jobs have some fifty, and `repeat` is one line.
const maxActions = 1000

// bounded refuses a job that expands to too many actions.
func bounded(j *jobs.Job) error {
	n := 0
	for _, m := range j.Actions {
		a := m.Base()
		if a.Repeat > maxActions || n+max(1, a.Repeat) > maxActions {
			return results.Failf(
				results.ClassJob, "line %d: %s: the job has more than %d actions, repeat included", a.Line, blockName(a),
				maxActions,
			)
		}
		n += max(1, a.Repeat)
	}
	return nil
}

// blockName is what a job's action is called until its method names it as LAVA does: "deploy tmpfs".
func blockName(a *jobs.Common) string {
	if a.Method == "" {
		return a.Section
	}
	return a.Section + " " + a.Method
}

// expand finds the method's executor.
func (b *Builder) expand(m jobs.Method) {
	for _, f := range b.Methods {
		if f(b, m) {
			return
		}
	}
	b.Errorf("is valid, but gantry does not execute it yet")
}
