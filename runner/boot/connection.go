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
	record := o.names.board(b, p.Connection, first)
	b.Step("connect-device", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) (err error) {
		if *before != nil { // it is opened anew
			if err := (*before)(); err != nil {
				return err
			}
		}
		*before, err = o.connect(ctx, r, opening{
			tty: tty, record: record, session: session, ignoreKernel: p.IgnoreKernelMessages,
		})
		return err
	})
	o.login(b, &p.Login, session)
}
