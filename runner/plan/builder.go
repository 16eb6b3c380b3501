package plan

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
)

// state is what the builders of one plan share.
type state struct {
	Options
	flow map[any]any // place[T] → *T
	errs []error
}

// Builder is what a method's function adds to.
type Builder struct {
	*state
	index  int   // of the action in the plan
	action *Node // of the job
	common *jobs.Common
	node   *Node // what is being added to: the action, or a group in it
}

// Errorf refuses the plan, at the action's line. The fault is the job's.
func (b *Builder) Errorf(format string, a ...any) { b.ErrorAt(b.node.Line, format, a...) }

// ErrorAt refuses the plan at another line of the job.
func (b *Builder) ErrorAt(line int, format string, a ...any) {
	err := fmt.Errorf("line %d: %s: %w", line, b.node.Title, fmt.Errorf(format, a...))
	b.errs = append(b.errs, err)
}

// Name is what LAVA calls the action: timeouts by name are looked up by it.
func (b *Builder) Name(name string) { b.node.Name = name }

// Folder is a folder of this action below name: actions share none.
func (b *Builder) Folder(name string) string { return filepath.Join(name, strconv.Itoa(b.index)) }

// Note records in the plan what will differ from what was asked for, and why.
func (b *Builder) Note(format string, a ...any) {
	b.node.Notes = append(b.node.Notes, fmt.Sprintf(format, a...))
}

// NotRun sets what reports that the action was not run, and why: the job ended before it, or what it requires is lost.
func (b *Builder) NotRun(report func(r *Run, why string)) { b.action.notRun = report }

// Budget says that the action's time is what the job's author allows it, and no sign of trouble: when it runs out, the
// class is timeout, whatever the blame. It is called before steps are added.
func (b *Builder) Budget() { b.node.Budget = true }

// Restore sets what brings a slot's content back that the action used when its time ran out, where its timeout says
// skip. While that fails, actions that require the slot are not run, until one has provided it again; the error says
// what is lost.
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

// Actions are all actions of the job that share this one's namespace, in order: a deploy looks here for the tests
// that will want its overlay.
func (b *Builder) Actions() []jobs.Method {
	var all []jobs.Method
	for _, m := range b.Job.Actions {
		if m.Base().Namespace == b.node.Namespace {
			all = append(all, m)
		}
	}
	return all
}

// Need returns a capability of the target. A method can only use one it asked for, so what it needs is always known
// to the plan.
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
	// Connection says that an action with a connection-namespace takes this from there, and not from its own namespace.
	Connection bool
}

// place is where a slot's value is in a plan.
type place[T any] struct{ namespace, name string }

// used is the place of a slot that the action takes something from.
func used[T any](b *Builder, s Slot[T]) place[T] {
	if s.Connection && b.common.ConnectionNamespace != "" {
		return place[T]{b.common.ConnectionNamespace, s.Name}
	}
	return place[T]{b.action.Namespace, s.Name}
}

// Provide returns the place this action will fill when it runs.
func Provide[T any](b *Builder, s Slot[T]) *T {
	k := place[T]{b.node.Namespace, s.Name}
	if _, ok := b.flow[k]; !ok {
		b.flow[k] = new(T)
	}
	b.action.provides = append(b.action.provides, k)
	return b.flow[k].(*T)
}

// Require returns the place an earlier action fills.
func Require[T any](b *Builder, s Slot[T]) *T {
	k := used(b, s)
	b.action.requires = append(b.action.requires, k)
	v, ok := b.flow[k].(*T)
	if !ok {
		b.Errorf("needs %s, which no earlier action of namespace %q provides", s.Name, k.namespace)
		return new(T)
	}
	return v
}
