package boot

import (
	"context"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// minimal switches a board off and on and waits for the shell on its first console: what it boots is in the board. The
// console is opened while the power is off: no part of the boot is missed, and no prompt of an earlier one matches.
func (o *methods) minimal(b *plan.Builder, p *jobs.BootMinimal) {
	b.Name("minimal-boot")
	if p.PrePowerCommand {
		b.Errorf("pre_power_command is valid, but gantry does not execute it yet")
	}
	if p.PreOSCommand {
		b.Errorf("pre_os_command is valid, but gantry does not execute it yet")
	}
	first := plan.Need(b, "console", b.Target.Consoles.First())
	var power *dut.Power
	if p.Reset {
		power = plan.Need(b, "power that can be switched on and off", b.Target.Power)
	}
	session, before := plan.Provide(b, flow.Shell), plan.Provide(b, booted)
	if first.Console == nil {
		return
	}
	o.users.console(b, first.Name, p.Namespace)
	o.users.resultsLogin(b, p.Namespace)
	session.Delay = delay(b)
	if power != nil {
		b.Step("power-off", results.ClassInfrastructure, func(ctx context.Context, _ *plan.Run) error {
			return power.Off(ctx)
		})
	}
	o.connectDevice(b, before, opening{
		tty: first, record: o.names.board(b, first.Name, true), session: session, ignoreKernel: p.IgnoreKernelMessages,
	})
	if power != nil {
		b.Step("power-on", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) error {
			if err := r.Journal.Record(power.Undo); err != nil {
				return err
			}
			return power.On(ctx)
		})
	}
	o.login(b, &p.Login, session)
}
