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

// messageWait is how long a message may be awaited that only a process in the test's own background can still send.
const messageWait = 10 * time.Second

// maxCalls is how many calls may wait for their turn: each but lava-send stops the test that makes it.
const maxCalls = 1000

// operator answers the calls that a test prints, in a goroutine of its own: typing may block.
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

// feedback answers a request for the output of another namespace. Nothing is to be done where it has a console: all
// consoles are read all the time.
func (o *operator) feedback(namespace, own string) {
	if namespace != own && !o.group.booted[namespace] {
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

// serve answers until stop is called, which waits for the last answer.
func (o *operator) serve(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.answerAll(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// answerAll answers each call when it can be answered. Those whose message has not come within messageWait fail.
func (o *operator) answerAll(ctx context.Context) {
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
				o.send(ctx, fmt.Sprintf("<%s%s nack>", q.Kind, completed)) // the test goes on, and may report more
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
