package boot

import (
	"context"
	"errors"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// qemu starts a guest with the deployed images and waits for its shell. Each boot says anew what it boots: the images
// of the last deploy before it. Each namespace has a guest of its own.
func (o *methods) qemu(b *plan.Builder, p *jobs.BootQemu) {
	b.Name("boot-image-retry")
	if p.Docker != nil {
		b.Errorf("docker is valid, but gantry does not execute it yet")
	}
	guests := plan.Need(b, "guests (it is a board)", b.Target.Guests)
	deployed := plan.Require(b, flow.Deployed)
	session, before := plan.Provide(b, flow.Shell), plan.Provide(b, booted)
	if guests == nil {
		return
	}
	name := o.names.guest(b, p.Namespace)
	few := bounded(b)
	o.users.resultsLogin(b, p.Namespace)
	guest := guests.Guest(name)
	session.Exited, session.Delay = guest.Machine.Exit, delay(b)
	kernel := kernelOf(deployed.Spec)
	planned, ok := spec(b, guests, deployed.Spec)
	if ok && few {
		o.together(b, guests, planned, p.Namespace)
	}
	describe(b, guest.Machine, planned)
	b.Group("boot-qemu-image", 1, func(b *plan.Builder) {
		b.Step("execute-qemu", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) error {
			if *before != nil { // a reboot: the guest is another one, and so is its console
				if err := off(ctx, guest, session, *before); err != nil {
					return err
				}
				*before = nil
			}
			results := expect(r)
			if err := start(ctx, r, guest, withImages(planned, deployed.Files)); err != nil {
				return err
			}
			end, err := o.connect(ctx, r, opening{
				tty: guest.Console, record: name, session: session, kernel: deployed.Files[kernel].Path,
				ignoreKernel: p.IgnoreKernelMessages,
			})
			*before = end
			results.open(ctx, r, name, guest.Results)
			session.Port = results.record
			return err
		})
	})
	o.login(b, &p.Login, session)
}

// off switches the guest of an earlier boot off, and ends what followed it. A session by ssh ends before the guest
// does, which would be logged as a loss; a port is read to its end.
func off(ctx context.Context, g dut.Guest, s *flow.Session, end func() error) error {
	port := s.Port
	s.Port = nil
	if port != nil && g.Results == nil {
		_ = port.Close() // what it lacks, the console has
	}
	err := errors.Join(end(), g.Machine.Off(ctx))
	if port != nil {
		_ = port.Finish() // as above
	}
	return err
}

// start switches a guest on, and records how it is executed.
func start(ctx context.Context, r *plan.Run, g dut.Guest, s dut.Spec) error {
	accel, changes, err := g.Machine.Describe(ctx, s)
	if err != nil {
		return err
	}
	r.Emit(results.Event{Accel: &accel})
	for _, c := range changes {
		r.Logf("info", "arguments: %s", c)
	}
	if err := r.Journal.Record(g.Undo); err != nil {
		return err
	}
	return g.Machine.On(ctx, s)
}

// delay is the device's pause between characters that tests type.
func delay(b *plan.Builder) time.Duration {
	if b.Target.Device == nil {
		return 0
	}
	return time.Duration(b.Target.Device.Delays.Test) * time.Millisecond
}

// booted ends the console of the boot before, in the same namespace.
var booted = plan.Slot[func() error]{Name: "booted"} //nolint:gochecknoglobals // the name of a slot, never changed
