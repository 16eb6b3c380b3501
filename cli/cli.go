// Package cli is the command line: flags, signals and wiring. It alone knows both app and runner. Results and
// machine-readable output go to stdout, progress and diagnostics to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gantry-ci/gantry/results"
)

// commands is the whole command line.
type commands struct {
	Format  string `enum:"text,json" default:"text" help:"Output: text, or json: one object a line."`
	Verbose bool   `short:"v" help:"Log more to stderr."`

	Validate validateCmd `cmd:"" help:"Check job, test definition, device and configuration files."`
	Plan     planCmd     `cmd:"" help:"Print the action tree of a job with levels and effective timeouts."`
	Run      runCmd      `cmd:"" help:"Run a job here, without a server."`
	Classify classifyCmd `cmd:"" help:"Find kernel trouble in console logs."`
	Probe    probeCmd    `cmd:"" help:"What this host can really do."`
	Dev      devCmd      `cmd:"" help:"App and one runner in one process."`
	App      appCmd      `cmd:"" help:"The server: webhooks in, checks out."`
	Runner   runnerCmd   `cmd:"" help:"The agent on a lab machine."`
	Lab      labCmd      `cmd:"" help:"App and runner in one, for a small lab."`
}

// Exit codes that do not come from a verdict.
const (
	exitOK    = 0
	exitNo    = 1 // the answer is no: a file is not valid
	exitUsage = 2
	exitBug   = 6
)

// env is what every command is given.
type env struct {
	stdout, stderr io.Writer
	json           bool
	logger         *slog.Logger
}

// exit is an error that is an exit code only: the user has been told why.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a command that cannot be carried out as it was given.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error { return &usageError{fmt.Errorf(format, a...)} }

// Main runs one command and returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(ctx)
	defer stop()
	var c commands
	code := -1
	parser, err := kong.New(&c, kong.Name("gantry"),
		kong.Description("A GitHub App with a hardware lab behind it."), helpTexts(),
		kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }), kong.UsageOnError())
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "gantry:", err)
		return exitBug
	}
	k, err := parser.Parse(args)
	if code >= 0 {
		return code // --help
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "gantry: %v\n", err)
		return exitUsage
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	e := &env{
		stdout: stdout, stderr: stderr, json: c.Format == "json",
		logger: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	}
	k.BindTo(ctx, (*context.Context)(nil))
	return e.status(k.Run(e))
}

// helpTexts are the help texts that are too long for a field's tag.
func helpTexts() kong.Vars {
	return kong.Vars{
		"kind_help": "What the files are: job, testdef, device or config; guessed when not given.",
		"show_help": "What to print: the action tree of a job definition, or the definitions (job) that the short forms of " +
			"a .github/gantry.yml expand to.",
	}
}

// status prints an error to stderr, and returns the exit code for it.
func (e *env) status(err error) int {
	if err == nil {
		return exitOK
	}
	if x := exit(0); errors.As(err, &x) {
		return int(x)
	}
	_, _ = fmt.Fprintln(e.stderr, "gantry:", err)
	if u := (*usageError)(nil); errors.As(err, &u) {
		return exitUsage
	}
	return results.Decide(err, nil).ExitCode()
}

// interruptible cancels ctx on the first SIGINT or SIGTERM; a second one kills the process.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-c:
			signal.Stop(c)
			cancel(results.Failf(results.ClassCanceled, "interrupted by %s", s))
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(c)
		cancel(nil)
		<-done
	}
}
