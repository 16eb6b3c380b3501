package testshell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/signal"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

// group is the multinode group of a job: this target alone. Its messages live as long as the job.
type group struct {
	self, role string
	sent       map[string][]string // the words "KEY=VALUE" of each message, by its id
}

// groupSlot is the group, which the test actions share.
var groupSlot = plan.Slot[*group]{Name: "a group"} //nolint:gochecknoglobals // the name of a slot, never changed

// provideGroup is the group of the job; a job of several targets is refused.
func provideGroup(b *plan.Builder) *group {
	place := plan.Provide(b, groupSlot)
	if *place == nil {
		*place = &group{self: b.Target.Name, sent: map[string][]string{}}
	}
	if m := b.Job.Protocols.Multinode; m != nil {
		targets := 0
		for name, r := range m.Roles {
			targets += r.Count
			(*place).role = name
		}
		if targets != 1 || len(m.Roles) != 1 {
			b.Errorf("the job is for %d targets: multinode is valid, but gantry does not execute it yet", targets)
		}
	}
	return *place
}

// LAVA's kinds of answers.
const complete = "_COMPLETE"

// answer is what is typed for a call, "" for a call without answer. Wait says that the call waits for a message that
// has not been sent.
func (g *group) answer(q *signal.Request) (typed string, wait bool) {
	if len(q.Args) == 0 {
		return "<" + q.Kind + complete + " nack>", false
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
	typed = "<" + q.Kind + complete
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

// messageWait is how long a message may be awaited that only a process in the test's own background can still send.
const messageWait = 10 * time.Second

// maxCalls is how many calls may wait for their turn: each but lava-send stops the test that makes it.
const maxCalls = 1000

// operator answers the calls that a test prints.
type operator struct {
	r     *plan.Run
	group *group
	sh    *console.Session
	calls chan *signal.Request

	mu  sync.Mutex
	err error // the first call that could not be answered
}

func newOperator(r *plan.Run, g *group, sh *console.Session) *operator {
	return &operator{r: r, group: g, sh: sh, calls: make(chan *signal.Request, maxCalls)}
}

// call takes a call; it does not wait.
func (o *operator) call(q *signal.Request) {
	select {
	case o.calls <- q:
	default:
		o.fail(results.Failf(results.ClassTest, "%s: more than %d calls at once", q.Kind, maxCalls))
	}
}

// feedback answers a request for the output of another namespace: there is no other console, and the test's own is
// always read.
func (o *operator) feedback(namespace, own string) {
	if namespace != own {
		o.fail(results.Failf(
			results.ClassJob, "lava-test-feedback --namespace %s: no action of the job has a console there", namespace,
		))
	}
}

func (o *operator) fail(err error) {
	o.r.Logf("error", "%v", err)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
}

func (o *operator) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// serve answers until stop is called.
func (o *operator) serve(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.answers(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (o *operator) answers(ctx context.Context) {
	var waiting []*signal.Request
	patience := time.NewTimer(messageWait)
	defer patience.Stop()
	for {
		var wait <-chan time.Time
		if len(waiting) > 0 {
			wait = patience.C
		}
		select {
		case q := <-o.calls:
			o.r.Logf("debug", "the test calls %s %s", q.Kind, strings.Join(q.Args, " "))
			waiting = slices.Insert(waiting, 0, q) // it may be what the others wait for
			before := len(waiting)
			if waiting = o.reply(ctx, waiting); before == 1 || len(waiting) < before {
				patience.Reset(messageWait)
			}
		case <-wait:
			for _, q := range waiting {
				o.fail(o.group.unsent(q))
				o.send(ctx, fmt.Sprintf("<%s%s nack>", q.Kind, complete)) // the test goes on, and may tell more
			}
			waiting = nil
		case <-ctx.Done():
			return
		}
	}
}

// reply answers the calls that can be answered, and returns the others.
func (o *operator) reply(ctx context.Context, calls []*signal.Request) (waiting []*signal.Request) {
	for _, q := range calls {
		typed, wait := o.group.answer(q)
		if wait {
			waiting = append(waiting, q)
		}
		if typed != "" {
			o.send(ctx, typed)
		}
	}
	return waiting
}

func (o *operator) send(ctx context.Context, text string) {
	if err := o.sh.SendLine(ctx, text); err != nil && ctx.Err() == nil {
		o.fail(fmt.Errorf("answer the test with %s: %w", text, err))
	}
}
