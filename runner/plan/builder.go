package plan

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
)

// state is shared by the builders of one plan.
type state struct {
	Options
	slots map[any]any // place[T] → *T
	errs  []error
}

// Builder is what a method's function adds its action to.
type Builder struct {
	*state
	index  int   // of the action in the plan
	action *Node // of the job
	common *jobs.Common
	node   *Node // what is being added to: the action, or a group in it
}

// Errorf refuses the plan, at the action's line; the class is job.
func (b *Builder) Errorf(format string, a ...any) { b.ErrorAt(b.node.Line, format, a...) }

// ErrorAt refuses the plan at another line of the job.
func (b *Builder) ErrorAt(line int, format string, a ...any) {
	err := fmt.Errorf("line %d: %s: %w", line, b.node.Title, fmt.Errorf(format, a...))
	b.errs = append(b.errs, err)
}

// Name sets the name that LAVA has for the action, which is the key of timeouts by name.
func (b *Builder) Name(name string) { b.node.Name = name }

// Folder is a path below name that no other action has.
func (b *Builder) Folder(name string) string { return filepath.Join(name, strconv.Itoa(b.index)) }

// Remark records in the plan how the execution will differ from what the job says, and why.
func (b *Builder) Remark(format string, a ...any) {
	b.node.Remarks = append(b.node.Remarks, fmt.Sprintf(format, a...))
}

// NotRun sets the function that reports the action's results as missing when it is not run, because the job ended
// before it or a place that it requires is lost. It is given the reason.
func (b *Builder) NotRun(report func(r *Run, why string)) { b.action.notRun = report }

// Budget says that the action's time is the job author's to choose: running out of it is class timeout, whatever the
// blame. It must be called before steps are added.
func (b *Builder) Budget() { b.node.Budget = true }

// Restore sets the function that makes a slot's content usable again after a timeout of the action that is skipped.
// When that fails, the actions that require the slot are not run until one has provided it again; the error says what
// is lost.
func Restore[T any](b *Builder, s Slot[T], do Do) {
	b.action.restore = &restore{used(b, s), do}
}

// Step adds a leaf.
func (b *Builder) Step(name string, blame results.Class, do Do) {
	b.node.Nodes = append(b.node.Nodes, b.child(name, Node{Blame: blame, Do: do, Attempts: 1}))
}

// Group adds a branch that is tried up to attempts times; the job's failure_retry counts for the first group of an
// action that asks for it.
func (b *Builder) Group(name string, attempts int, fill func(b *Builder)) {
	g := *b
	g.node = b.child(name, Node{Attempts: max(1, attempts)})
	g.node.Interval = b.node.Interval
	fill(&g)
	b.node.Nodes = append(b.node.Nodes, g.node)
}

func (b *Builder) child(name string, n Node) *Node {
	n.Name, n.Title, n.Section = name, b.node.Title, b.node.Section
	n.Namespace, n.Line, n.Budget = b.node.Namespace, b.node.Line, b.node.Budget
	return &n
}

// Actions are all actions of the job in this one's namespace, in order: a deploy finds the tests here that need its
// overlay.
func (b *Builder) Actions() []jobs.Method {
	var all []jobs.Method
	for _, m := range b.Job.Actions {
		if m.Base().Namespace == b.node.Namespace {
			all = append(all, m)
		}
	}
	return all
}

// Need returns a capability of the target, and refuses the plan when it is nil. A method can only use a capability that
// it asked for, so that the plan knows all that are needed.
func Need[C any](b *Builder, what string, c C) C {
	if v := reflect.ValueOf(&c).Elem(); v.IsZero() {
		b.Errorf("%s has no %s", b.Target.Name, what)
	}
	return c
}

// Slot is a kind of data that flows from one action to a later one of its namespace. Slots of one name and different
// types are different slots.
type Slot[T any] struct {
	Name string
	// Connection says that an action with a connection-namespace requires it from there, not from its own namespace.
	Connection bool
}

// place is where a slot's value is in a plan.
type place[T any] struct{ namespace, name string }

// used is the place from which the action requires a slot.
func used[T any](b *Builder, s Slot[T]) place[T] {
	if s.Connection && b.common.ConnectionNamespace != "" {
		return place[T]{b.common.ConnectionNamespace, s.Name}
	}
	return place[T]{b.action.Namespace, s.Name}
}

// Provide returns the place this action will fill when it runs.
func Provide[T any](b *Builder, s Slot[T]) *T {
	k := place[T]{b.node.Namespace, s.Name}
	if _, ok := b.slots[k]; !ok {
		b.slots[k] = new(T)
	}
	b.action.provides = append(b.action.provides, k)
	return b.slots[k].(*T)
}

// Require returns the place an earlier action fills.
func Require[T any](b *Builder, s Slot[T]) *T {
	k := used(b, s)
	b.action.requires = append(b.action.requires, k)
	v, ok := b.slots[k].(*T)
	if !ok {
		b.Errorf("needs %s, which no earlier action of namespace %q provides", s.Name, k.namespace)
		return new(T)
	}
	return v
}
