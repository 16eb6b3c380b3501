package jobs

import (
	"github.com/gantry-ci/gantry/internal/schema"
)

// TestInteractive types commands at a prompt, of a boot loader or a monitor, and reads answers.
type TestInteractive struct {
	Common
	Scripts []Interactive
}

// Interactive is a suite of typed commands.
type Interactive struct {
	schema.Position
	Name     string
	Prompts  []string
	Echo     string // discard, or nothing
	Expected []string
	Script   []InteractiveCommand
}

// InteractiveCommand types one command, or waits, or talks to another role.
type InteractiveCommand struct {
	schema.Position
	Places                    schema.Places
	Command                   string
	NoCommand                 bool   // command is null or not there: wait only
	Delay                     int    // seconds before it
	WaitForPrompt             bool   // true when the file does not say
	Name                      string // the case's; no case when empty
	Send, Sync, Wait, WaitAll string // lava-send, …
	Successes                 []InteractiveAnswer
	Failures                  []InteractiveAnswer
}

// InteractiveAnswer is what a command may answer.
type InteractiveAnswer struct {
	Message   string // regular expression
	Exception string // of a failure: InfrastructureError, JobError or TestError; the job ends
	Error     string // its message
	failure   bool
}

// Fields declares the method.
func (p *TestInteractive) Fields(f *schema.Fields) {
	p.Common.Fields(f)
	f.Required("interactive", schema.Objects(&p.Scripts), "The suites, in order.")
}

func caseName(dst *string) schema.Type {
	return schema.Matching(dst, definitionNameRE, "a name of letters, digits, -, _ and .")
}

// Fields declares a suite.
func (i *Interactive) Fields(f *schema.Fields) {
	f.Place(&i.Position)
	f.Required("name", caseName(&i.Name), "What the suite is called.")
	f.Required(
		"prompts", schema.ListOf(&i.Prompts, schema.Some), "What is printed when a command may be typed; plain text.",
	)
	f.Optional("echo", schema.OneOf(&i.Echo, "discard"), "Leave out the echo of the command when looking for its answer.")
	f.Optional("expected", schema.Texts(&i.Expected), "The cases that must be reported.")
	f.Required("script", schema.Objects(&i.Script), "The commands, in order.")
}

// Fields declares a command.
func (c *InteractiveCommand) Fields(f *schema.Fields) {
	c.WaitForPrompt, c.NoCommand = true, true
	f.Place(&c.Position)
	f.Places(&c.Places)
	typed := schema.Then(schema.Text(&c.Command), func() { c.NoCommand = false })
	f.Optional("command", schema.Either("a string, or null", typed, schema.Exactly()), "What to type; null to wait only.")
	f.Optional("delay", schema.Integer(&c.Delay), "Seconds to wait first.")
	f.Optional("lava-send", schema.Text(&c.Send), "A message to the other roles.")
	f.Optional("lava-sync", schema.Text(&c.Sync), "A message that all roles wait for.")
	f.Optional("lava-wait", schema.Text(&c.Wait), "A message of any role to wait for.")
	f.Optional("lava-wait-all", schema.Text(&c.WaitAll), "A message of all roles to wait for.")
	f.Optional("name", caseName(&c.Name), "The case's name; no case without one.")
	f.Optional("wait_for_prompt", schema.Flag(&c.WaitForPrompt), "Wait for a prompt after it.")
	f.Optional("successes", schema.Objects(&c.Successes), "Answers that pass.")
	f.Optional("failures", schema.ListOf(&c.Failures, func(a *InteractiveAnswer) schema.Type {
		a.failure = true
		return schema.Sub(a)
	}), "Answers that fail.")
}

// Fields declares an answer.
func (a *InteractiveAnswer) Fields(f *schema.Fields) {
	f.Required("message", schema.Some(&a.Message), "Regular expression of the answer.")
	if a.failure {
		f.Optional(
			"exception", schema.OneOf(&a.Exception, "InfrastructureError", "JobError", "TestError"),
			"The answer ends the job, with this blame.",
		)
		f.Optional("error", schema.Some(&a.Error), "The message it ends with.")
	}
}

// TestMonitors reads the results that a program without a shell prints.
type TestMonitors struct {
	Common
	Monitors []Monitor
}

// Monitor is a suite between two lines.
type Monitor struct {
	schema.Position
	Name, Start, End, Pattern string // regular expressions; the pattern has the groups test_case_id, result, …
	Fixupdict                 map[string]string
	Expected                  []string
}

// Fields declares the method.
func (p *TestMonitors) Fields(f *schema.Fields) {
	p.Common.Fields(f)
	f.Required("monitors", schema.Objects(&p.Monitors), "The suites, in order.")
}

// Fields declares a suite.
func (m *Monitor) Fields(f *schema.Fields) {
	f.Place(&m.Position)
	f.Required("name", caseName(&m.Name), "What the suite is called.")
	f.Required("start", schema.Text(&m.Start), "What is printed before the first case.")
	f.Required("end", schema.Text(&m.End), "What is printed after the last case.")
	f.Required(
		"pattern", schema.Text(&m.Pattern),
		"Regular expression of a case, with the groups test_case_id, result, measurement and units.",
	)
	f.Optional("fixupdict", fixupdict(&m.Fixupdict), "What the program's own words for results mean.")
	f.Optional("expected", schema.Texts(&m.Expected), "The cases that must be reported.")
}

// TestServices starts services beside the target, by docker compose.
type TestServices struct {
	Common
	Services []Service
}

// Service is a compose file and what it starts.
type Service struct {
	schema.Position
	Name, From, Repository, Path, Only string // Only is the one service to start
	Branch, Revision                   string
	History, Recursive                 bool
	Compression                        string
	Headers                            map[string]string
}

// Fields declares the method.
func (p *TestServices) Fields(f *schema.Fields) {
	p.Common.Fields(f)
	f.Required("services", schema.ListOf(&p.Services, func(s *Service) schema.Type {
		return schema.EitherBy("from", []string{
			"git", "url",
		}, schema.Sub(serviceFrom{s, "git"}), schema.Sub(serviceFrom{s, "url"}))
	}), "The services, in order.")
}

type serviceFrom struct {
	*Service
	from string
}

func (s serviceFrom) Fields(f *schema.Fields) {
	f.Place(&s.Position)
	f.Required("from", schema.OneOf(&s.From, s.from), "What the repository is.")
	if s.from == "git" {
		f.Optional("branch", schema.Text(&s.Branch), "The branch.")
		f.Optional("history", schema.Flag(&s.History), "Clone with history.")
		f.Optional("revision", schema.Text(&s.Revision), "The commit.")
		f.Optional("recursive", schema.Flag(&s.Recursive), "Clone with submodules.")
	} else {
		f.Optional("compression", schema.Text(&s.Compression), "How the archive is compressed.")
		f.Optional("headers", schema.Values(&s.Headers), "HTTP headers of the request.")
	}
	f.Required("name", caseName(&s.Name), "What it is called.")
	f.Required("repository", schema.Text(&s.Repository), "Where the compose file is.")
	f.Required("path", schema.Text(&s.Path), "The compose file in the repository.")
	f.Optional("service", schema.Text(&s.Only), "The one service to start; all when the file does not say.")
}

// Command runs a command that the device file defines.
type Command struct {
	Common
	Name string
}

// Fields declares the action.
func (p *Command) Fields(f *schema.Fields) {
	p.Common.Fields(f)
	f.Required("name", schema.Text(&p.Name), "The command's name in the device file.")
}
