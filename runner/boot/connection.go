package boot

import (
	"context"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// newConnection opens another console of the target, which a namespace of its own then uses.
func (o *methods) newConnection(b *plan.Builder, p *jobs.BootNewConnection) {
	b.Name("new-connection")
	session, before := plan.Provide(b, flow.Shell), plan.Provide(b, booted)
	tty, first := b.Target.Consoles.Named(p.Connection)
	if tty == nil {
		b.Errorf("%s has no console %q", b.Target.Name, p.Connection)
		return
	}
	o.users.console(b, p.Connection, p.Namespace)
	o.users.resultsLogin(b, p.Namespace)
	session.Delay = delay(b)
	o.connectDevice(b, before, opening{
		tty: tty, record: o.names.board(b, p.Connection, first), session: session, ignoreKernel: p.IgnoreKernelMessages,
	})
	o.login(b, &p.Login, session)
}

// connectDevice adds the step that opens a console of a board. Before ends the console of the boot before.
func (o *methods) connectDevice(b *plan.Builder, before *func() error, to opening) {
	b.Step("connect-device", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) (err error) {
		if *before != nil { // it is opened anew
			if err := (*before)(); err != nil {
				return err
			}
		}
		*before, err = o.connect(ctx, r, to)
		return err
	})
}
