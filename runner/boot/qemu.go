package boot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// qemu starts a guest with the deployed images and waits for its shell.
func (o *methods) qemu(b *plan.Builder, p *jobs.BootQemu) {
	b.Name("boot-image-retry")
	if p.Docker != nil {
		b.Errorf("docker is valid, but gantry does not execute it yet")
	}
	power := plan.Need(b, "power control", b.Target.Power)
	tty := plan.Need(b, "console", b.Target.Console)
	machine := plan.Need(b, "machine (it is no guest)", b.Target.Machine)
	images := plan.Require(b, flow.Images)
	session, before := plan.Provide(b, flow.Shell), plan.Provide(b, booted)
	if machine == nil {
		return
	}
	session.Exited, session.Delay = machine.Exit, delay(b)
	alone(b, p)
	record := o.names.guest(b, p.Namespace)
	deployed := *plan.Require(b, flow.Deployed)
	configureOnce(b, machine, deployed)
	kernel := kernelOf(deployed)
	b.Group("boot-qemu-image", 1, func(b *plan.Builder) {
		b.Step("execute-qemu", results.ClassInfrastructure, func(ctx context.Context, r *plan.Run) error {
			for name, f := range *images {
				machine.Image(name, f.Path)
			}
			accel, changes, err := machine.Prepare(ctx)
			if err != nil {
				return err
			}
			r.Emit(results.Event{Accel: &accel})
			for _, c := range changes {
				r.Logf("info", "arguments: %s", c)
			}
			if err := r.Journal.Before(plan.UndoPower, b.Target.Name); err != nil {
				return err
			}
			if *before != nil { // a reboot: the guest is another one, and so is its console
				if session.Port != nil {
					_ = session.Port.Close() // what follows it must not mourn it
				}
				if err := errors.Join((*before)(), power.Off(ctx)); err != nil {
					return err
				}
				*before = nil
			}
			if err := power.On(ctx); err != nil {
				return err
			}
			end, err := o.connect(ctx, r, opening{
				tty: tty, record: record, session: session, kernel: (*images)[kernel].Path, ignoreKernel: p.IgnoreKernelMessages,
			})
			*before = end
			session.Port = listen(ctx, r, b.Target.Results, session.Port)
			return err
		})
	})
	o.login(b, &p.Login, session)
}

// delay is the device's pause between characters that tests type.
func delay(b *plan.Builder) time.Duration {
	if b.Target.Device == nil {
		return 0
	}
	return time.Duration(b.Target.Device.Delays.Test) * time.Millisecond
}

// What boots of one namespace tell each other.
var (
	booted     = plan.Slot[func() error]{Name: "booted"}                    //nolint:gochecknoglobals // a name
	configured = plan.Slot[map[string]*jobs.Image]{Name: "configured with"} //nolint:gochecknoglobals // a name
)

// alone refuses a second guest: a target is one.
func alone(b *plan.Builder, p *jobs.BootQemu) {
	for _, m := range b.Job.Actions {
		if other, ok := m.(*jobs.BootQemu); ok && other.Namespace != p.Namespace {
			b.Errorf(
				"a guest for each of the namespaces %q and %q is valid, but gantry does not execute it yet", p.Namespace,
				other.Namespace,
			)
			return
		}
	}
}

// configureOnce configures the guest at its first boot; later ones are reboots.
func configureOnce(b *plan.Builder, machine dut.Machine, images map[string]*jobs.Image) {
	done := plan.Provide(b, configured)
	switch {
	case *done == nil:
		configure(b, machine, images)
		*done = images
	case !maps.Equal(*done, images):
		b.Errorf("a boot after a second deploy is valid, but gantry does not execute it yet")
	}
}

// kernelOf is the name of the image that QEMU itself boots; "" where firmware or a disk decides.
func kernelOf(images map[string]*jobs.Image) string {
	for name, img := range images {
		args := strings.Fields(img.ImageArg)
		for i := range args[:max(len(args)-1, 0)] {
			if args[i] == "-kernel" && args[i+1] == "{"+name+"}" {
				return name
			}
		}
	}
	return ""
}

// configure gives the guest the job's arguments, and refuses at the job's lines what it may not have.
func configure(b *plan.Builder, machine dut.Machine, images map[string]*jobs.Image) {
	for _, name := range slices.Sorted(maps.Keys(images)) {
		img := images[name]
		machine.Image(name, "/images/"+name) // where it will be is told when it is there
		if img.ImageArg == "" {
			continue
		}
		if err := machine.Args(img.ImageArg); err != nil {
			b.ErrorAt(img.At("image_arg").Line, "image_arg of %s: %w", name, err)
		}
	}
	if extra := b.Job.Context.ExtraOptions; len(extra) > 0 {
		place := b.Job.Context.Places["extra_options"]
		if !b.Policy.Operator {
			b.ErrorAt(place.Line, "context.extra_options: not allowed in a served job: the emulator's options are the lab's")
			return
		}
		if err := machine.Args(extra...); err != nil {
			b.ErrorAt(place.Line, "context.extra_options: %w", err)
		}
	}
	note(b, machine)
}

// note says in the plan how the guest will be executed, and what will differ from what was asked for.
func note(b *plan.Builder, machine dut.Machine) {
	accel, changes, err := machine.Prepare(context.Background())
	if err != nil {
		return // the step says so, when the images are there
	}
	b.Note("acceleration: %s: %s", accel.Used, accel.Why)
	for _, c := range changes {
		b.Note("arguments: %s", c)
	}
}
