package testshell

import (
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// group is the multinode group of a job: this target alone. Its messages live as long as the job.
type group struct {
	self, role string
	sent       map[string][]string // the words "KEY=VALUE" of each message, by its id
	booted     map[string]bool     // the namespaces that have a console
}

// groupSlot is the group, which the test actions share.
var groupSlot = plan.Slot[*group]{Name: "a group"} //nolint:gochecknoglobals // the name of a slot, never changed

// provideGroup is the group of the job; a job of several targets is refused.
func provideGroup(b *plan.Builder) *group {
	place := plan.Provide(b, groupSlot)
	if *place == nil {
		*place = &group{self: b.Target.Name, sent: map[string][]string{}, booted: flow.Booted(b)}
	}
	g := *place
	if m := b.Job.Protocols.Multinode; m != nil {
		targets := 0
		for name, r := range m.Roles {
			targets += r.Count
			g.role = name
		}
		if targets != 1 || len(m.Roles) != 1 {
			b.Errorf("the job is for %d targets: multinode is valid, but gantry does not execute it yet", targets)
		}
	}
	return g
}

// completed ends the name of an answer: lava-wait is answered by <LAVA_WAIT_COMPLETE …>.
const completed = "_COMPLETE"

// answer is what is typed for a call, "" for a call without answer. Wait says that the call waits for a message that
// has not been sent.
func (g *group) answer(q *signal.Request) (typed string, wait bool) {
	if len(q.Args) == 0 {
		return "<" + q.Kind + completed + " nack>", false
	}
	id := q.Args[0]
	switch q.Kind {
	case signal.RequestSend:
		g.send(id, q.Args[1:])
		return "", false
	case signal.RequestSync:
		g.send(id, nil) // as lava-send and lava-wait-all
	case signal.RequestWaitAll:
		if len(q.Args) > 1 && q.Args[1] != g.role {
			return "", true
		}
	}
	data, ok := g.sent[id]
	if !ok {
		return "", true
	}
	typed = "<" + q.Kind + completed
	if q.Kind != signal.RequestSync {
		for _, word := range data {
			typed += " " + g.self + ":" + word
		}
	}
	return typed + ">", false
}

// maxMessages bounds how many messages a target may send, and how many words they have together.
const maxMessages = 10_000

func (g *group) send(id string, words []string) {
	have, ok := g.sent[id]
	if !ok && len(g.sent) >= maxMessages {
		return
	}
	for _, w := range words {
		if len(have) < maxMessages && !slices.Contains(have, w) {
			have = append(have, w)
		}
	}
	g.sent[id] = have
}

// unsent is the error of a wait that cannot end.
func (g *group) unsent(q *signal.Request) error {
	call := strings.ToLower(strings.ReplaceAll(q.Kind, "_", "-")) + " " + strings.Join(q.Args, " ")
	if q.Kind == signal.RequestWaitAll && len(q.Args) > 1 && q.Args[1] != g.role {
		return results.Failf(results.ClassJob, "%s: nobody has the role %q: the job has one target", call, q.Args[1])
	}
	return results.Failf(results.ClassJob, "%s: nobody sends the message: the job has one target, which has not", call)
}
