package boot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// servedGuests is how many guests a served job may boot. What they may take of the host together is bounded as well.
const servedGuests = 4

// bounded refuses a served job more guests than that, and reports whether it has no more.
func bounded(b *plan.Builder) bool {
	namespaces := map[string]bool{}
	for _, m := range b.Job.Actions {
		if q, ok := m.(*jobs.BootQemu); ok {
			namespaces[q.Namespace] = true
		}
	}
	if len(namespaces) <= servedGuests || b.Policy.Operator {
		return true
	}
	b.Errorf("the job boots guests in %d namespaces; a served job may in %d", len(namespaces), servedGuests)
	return false
}

// argument is what a job gives a guest in one place.
type argument struct {
	text, key string
	line      int
}

// arguments are those of the images, by their names, and the job's own options.
func arguments(b *plan.Builder, images map[string]*jobs.Image) []argument {
	var all []argument
	for _, name := range slices.Sorted(maps.Keys(images)) {
		if img := images[name]; img.ImageArg != "" {
			all = append(all, argument{img.ImageArg, "image_arg of " + name, img.At("image_arg").Line})
		}
	}
	extra := b.Job.Context.ExtraOptions
	if len(extra) == 0 {
		return all
	}
	line := b.Job.Context.Places["extra_options"].Line
	if !b.Policy.Operator {
		b.ErrorAt(line, "context.extra_options: not allowed in a served job: the emulator's options are the lab's")
		return all
	}
	return append(all, argument{strings.Join(extra, " "), "context.extra_options", line})
}

// maxRefusals is how many refused arguments are reported of one boot: nobody reads more, and each costs a check.
const maxRefusals = 20

// spec is the guest's configuration at plan time; image paths are filled in after the deploy. What the guest may not
// have is refused at the job's lines; ok says that nothing was.
func spec(b *plan.Builder, guests dut.Guests, images map[string]*jobs.Image) (s dut.Spec, ok bool) {
	s = dut.Spec{Images: map[string]string{}, NoKVM: b.Job.Context.NoKVM, Results: b.Target.ResultsNode() != ""}
	for name := range images {
		s.Images[name] = ""
	}
	all := arguments(b, images)
	for refused := 0; ; refused++ {
		s.Args = nil
		for _, a := range all {
			s.Args = append(s.Args, a.text)
		}
		err := guests.Check(s)
		e, named := errors.AsType[*dut.ArgumentError](err)
		switch {
		case err == nil:
			return s, refused == 0
		case !named || e.Index >= len(all):
			b.Errorf("%w", err)
			return s, false
		}
		b.ErrorAt(all[e.Index].line, "%s: %w", all[e.Index].key, err)
		if refused == maxRefusals {
			return s, false
		}
		all = slices.Delete(all, e.Index, e.Index+1)
	}
}

// together refuses a boot whose guest, with the other guests that run by then, takes more of the host than the job may.
// A second boot in a namespace replaces the guest there.
func (o *methods) together(b *plan.Builder, guests dut.Guests, s dut.Spec, namespace string) {
	if o.guests == nil {
		o.guests = map[string]dut.Spec{}
	}
	o.guests[namespace] = s
	if err := guests.CheckTogether(slices.Collect(maps.Values(o.guests))); err != nil {
		b.Errorf("%w", err)
	}
}

// withImages is a spec with the paths of what was deployed.
func withImages(s dut.Spec, images map[string]flow.File) dut.Spec {
	s.Images = map[string]string{}
	for name, f := range images {
		s.Images[name] = f.Path
	}
	return s
}

// describe says in the plan how the guest will be executed, and what will differ from what was asked for.
func describe(b *plan.Builder, m dut.Machine, s dut.Spec) {
	accel, changes, err := m.Describe(context.Background(), s)
	if err != nil {
		return // the step says so, when the images are there
	}
	b.Remark("acceleration: %s: %s", accel.Used, accel.Why)
	for _, c := range changes {
		b.Remark("arguments: %s", c)
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
