package testshell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// interactive types commands at a prompt and reads their answers: a test of what has no shell that could run helpers.
func interactive(b *plan.Builder, p *jobs.TestInteractive) {
	b.Name("lava-test-interactive-retry")
	b.Budget()
	d := dialogue{group: provideGroup(b), session: plan.Require(b, flow.Shell), id: b.RunID}
	stage, _ := flow.Stage(b, p)
	for i := range p.Scripts {
		s := newScript(b, &p.Scripts[i])
		s.suite = fmt.Sprintf("%d_%s", stage, p.Scripts[i].Name) // LAVA counts stages here, not definitions
		d.scripts = append(d.scripts, s)
	}
	b.NotRun(func(r *plan.Run, why string) { d.notRun(r, 0, why) })
	plan.Restore(b, flow.Shell, d.interrupt)
	b.Step("lava-test-interactive", results.ClassTest, d.run)
}

// dialogue is the action: scripts, one after another.
type dialogue struct {
	group   *group
	session *flow.Session
	id      string // of the job
	scripts []script
}

// promptWait is how long the prompt after a stage of test definitions may take: a shell prints it at once.
const promptWait = 5 * time.Second

func (d *dialogue) run(ctx context.Context, r *plan.Run) error {
	sh := d.session.Shell
	sh.CharDelay = d.session.Delay
	known := map[string]string{"JOB_ID": d.id}
	for i := range d.scripts {
		s := &d.scripts[i]
		if err := d.skipPrompt(ctx, sh, s.prompts); err != nil {
			d.notRun(r, i, "the block ended before it")
			return err
		}
		start := time.Now()
		out := newSuite(r, d.session, s.suite, s.expected)
		x := execution{
			script: s, out: out, shell: sh, group: d.group, known: known, limit: r.Running().Connection,
		}
		err := x.run(ctx)
		out.end(start, err)
		if err != nil {
			d.notRun(r, i+1, "the block ended before it")
			return err
		}
	}
	return nil
}

// notRun reports the scripts from number i on as missing, with their cases.
func (d *dialogue) notRun(r *plan.Run, i int, why string) {
	for _, s := range d.scripts[i:] {
		names := s.expected
		for _, c := range s.commands {
			names = append(slices.Clip(names), c.Name)
		}
		reportNotRun(r, s.suite, names, why)
	}
}

// interrupt ends what was typed, and waits for the prompt.
func (d *dialogue) interrupt(ctx context.Context, _ *plan.Run) error {
	return interrupt(ctx, d.session.Shell, func(int) (string, *console.Patterns, error) {
		return "", d.scripts[0].prompts, nil
	})
}

// skipPrompt skips the prompt that a stage of test definitions leaves behind, lest it be the first command's answer.
func (d *dialogue) skipPrompt(ctx context.Context, sh *console.Session, prompts *console.Patterns) error {
	if !d.session.Prompted {
		return nil
	}
	d.session.Prompted = false
	quiet, cancel := context.WithTimeoutCause(ctx, promptWait, errQuiet)
	defer cancel()
	if _, err := sh.Expect(quiet, prompts); err != nil && !errors.Is(err, errQuiet) {
		return err
	}
	return nil // it was seen, or other output hides it
}
