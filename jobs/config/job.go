package config

import (
	"regexp"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Job is a check: a LAVA job, or steps on boards or in virtual machines. Exactly one of Lava, JobsFrom, Board and VM is
// set.
type Job struct {
	schema.Position // of its name
	Places          schema.Places
	Name            string

	Lava     *Reference // a LAVA job definition
	JobsFrom *Reference // LAVA job definitions, by a pattern
	Board    *Board
	VM       *VM

	Write  []Write // board: what goes where before it boots, in the file's order
	Steps  []Step
	Matrix Matrix
	Env    map[string]string
	Needs  []Need
	On     []string // only these events; all of the file's when empty

	Symbols       *Reference // a vmlinux, to decode stacks with
	Timeout       time.Duration
	QueueTimeout  time.Duration
	Retry         Retry
	Forks         string
	KnownFailures string
	KernelLog     string
	Checks        string   // per-job or per-run
	Tags          []string // lava: and jobs-from: what the target must have besides what the definition asks for

	has map[string]bool // the keys of the source
}

// Board asks for boards.
type Board struct {
	Types  []string // one run for each
	Any    []string // one run on one of them
	Tags   []string
	Prompt []string // regular expressions of the shell's prompt
	Login  *Login
}

// VM asks for a guest.
type VM struct {
	Image   string     // a lab's image by name, or an artifact or URL in Root
	Root    *Reference // image, when it is a reference
	Kernel  *Reference
	Initrd  *Reference
	Symbols *Reference
	Cmdline string // added to the kernel's
	Arch    string // amd64 when the file does not say
	Machine string
	CPU     string
	Memory  string // 1G when the file does not say
	CPUs    int
	Modes   []string // selinux=enforcing, fips=on, …
	Network bool
	Prompt  []string
	Login   *Login
}

// Login says how to get a shell on a console.
type Login struct{ Username, Password string }

// Step is a command of the test. Each is a case.
type Step struct {
	schema.Position
	Name    string
	Run     string
	Env     map[string]string
	Dir     string
	Timeout time.Duration
}

// Write puts a reference onto a board's storage.
type Write struct {
	schema.Position
	To   string // sd, usb or sata, as LAVA's deploy methods are called
	From Reference
}

// Need is a job that must have passed, or failed only in known ways.
type Need struct {
	schema.Position
	Job        string
	SameDevice bool // each device waits for its own run of that job only
}

var jobNameRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,99}$`)

// Fields declares a job.
func (j *Job) Fields(f *schema.Fields) {
	f.Place(&j.Position)
	f.Places(&j.Places)
	f.Optional("lava", reference(&j.Lava), "A LAVA job definition, as it is: a path in the repository, or an artifact.")
	f.Optional("jobs-from", reference(&j.JobsFrom), "LAVA job definitions by a pattern: each file is a run.")
	f.Optional("board", schema.Optionally(&j.Board), "Run the steps on boards.")
	f.Optional("vm", schema.Optionally(&j.VM), "Run the steps in a virtual machine.")
	f.Exclusive("lava", "jobs-from", "board", "vm")
	f.Optional("write", writes(&j.Write), "What goes onto the board's storage before it boots.")
	f.Optional(
		"steps", schema.Objects(&j.Steps),
		"The commands, in order. Each is a case; those after the first that fails are skipped.",
	)
	f.Optional(
		"matrix", schema.Sub(&j.Matrix),
		"One run for each combination of these values. A name that `vm` has as a key sets that key; steps see every value "+
			"as the variable MATRIX_NAME.",
	)
	f.Optional("env", env(&j.Env), "Variables of the steps.")
	f.Optional(
		"needs", needs(&j.Needs),
		"Jobs that must have passed, or failed only in known ways; `same-device` lets each device wait for itself alone.",
	)
	f.Optional("on", list(&j.On, Events()...), "Only these of the file's events.")
	f.Optional("symbols", reference(&j.Symbols), "A vmlinux with debug information, to decode stacks with.")
	f.Optional("timeout", Duration(&j.Timeout), "How long a run may take, from the moment it has its target.")
	f.Optional("queue-timeout", Duration(&j.QueueTimeout), "How long a run may wait for a target.")
	f.Optional("retry", schema.Sub(&j.Retry), "What is tried again.")
	f.Optional("forks", forks(&j.Forks), "Who must approve runs for pull requests from forks.")
	f.Optional("known-failures", repositoryPath(&j.KnownFailures), "The list of known failures in the repository.")
	f.Optional(
		"kernel-log", repositoryPath(&j.KernelLog),
		"The list of kernel messages that are allowed or denied, in the repository.",
	)
	f.Optional(
		"checks", schema.OneOf(&j.Checks, "per-job", "per-run"), "Whether the job is one check, or each of its runs is.",
	)
	f.Optional("tags", list(&j.Tags), "What the target must have besides what the definition asks for.")
	f.Check(j.whole)
}

// whole checks what single keys cannot say.
func (j *Job) whole(n *schema.Node) *schema.Fault {
	at := func(key string) *schema.Node { return n.Get(key) }
	steps := j.Board != nil || j.VM != nil
	switch {
	case j.Lava == nil && j.JobsFrom == nil && !steps:
		return &schema.Fault{
			Path: "lava", Message: "nothing says what the job runs", Expected: "one of the keys lava, jobs-from, board, vm",
		}
	case steps && len(j.Steps) == 0:
		return &schema.Fault{Path: "steps", Message: `the key "steps" is missing`, Expected: "a list of steps"}
	case !steps && j.Steps != nil:
		return &schema.Fault{
			Path: "steps", At: at("steps"), Message: "steps need board or vm; a LAVA job has its own tests",
			Expected: "no steps",
		}
	case j.Write != nil && j.Board == nil:
		return &schema.Fault{Path: "write", At: at("write"), Message: "only a board has storage to write", Expected: "board"}
	case j.Lava != nil && strings.ContainsAny(j.Lava.Path, "*?["):
		return &schema.Fault{
			Path: "lava", At: at("lava"), Message: "lava is one file; jobs-from takes patterns", Found: j.Lava.String(),
			Expected: "a path",
		}
	case !steps && j.Symbols != nil:
		return &schema.Fault{
			Path: "symbols", At: at("symbols"),
			Message: "a LAVA job names its symbols itself, in metadata: {gantry: {symbols: …}}", Expected: "no symbols",
		}
	case steps && j.Tags != nil:
		return &schema.Fault{
			Path: "tags", At: at("tags"), Message: "tags of boards stand in board", Expected: "board: {tags: …}",
		}
	}
	j.has = map[string]bool{}
	for _, e := range n.Entries {
		j.has[e.Key.Text] = true
	}
	return nil
}

// Fields declares the block.
func (b *Board) Fields(f *schema.Fields) {
	f.Optional("type", list(&b.Types), "Device types: one run for each.")
	f.Optional("any", list(&b.Any), "Device types: one run on one of them.")
	f.Exclusive("type", "any")
	f.Optional("tags", list(&b.Tags), "What the board must have.")
	f.Optional("prompt", list(&b.Prompt), "Regular expressions of the shell's prompt.")
	f.Optional("login", schema.Optionally(&b.Login), "How to log in on the console.")
	f.Check(func(*schema.Node) *schema.Fault {
		if b.Types == nil && b.Any == nil {
			return &schema.Fault{Path: "type", Message: "nothing says which board", Expected: "one of the keys type, any"}
		}
		return nil
	})
}

// Fields declares the block.
func (v *VM) Fields(f *schema.Fields) {
	if v.Arch == "" { // else a matrix changes some keys of what was read
		v.Arch, v.Memory, v.CPUs, v.Network = "amd64", "1G", 1, true
	}
	f.Required("image", schema.Then(schema.Limited(&v.Image, 1, maxText), func() {
		v.reference()
	}), "The system: the name of one of the lab's images, an artifact, or a URL.")
	f.Optional("kernel", reference(&v.Kernel), "The kernel; the image's own when the file does not say.")
	f.Optional("initrd", reference(&v.Initrd), "The initial RAM disk.")
	f.Optional("symbols", reference(&v.Symbols), "A vmlinux with debug information, to decode stacks with.")
	f.Optional("cmdline", schema.Text(&v.Cmdline), "Added to the kernel's command line.")
	f.Optional(
		"arch", schema.OneOf(&v.Arch, "amd64", "arm64", "arm", "i386", "riscv64", "ppc64le", "s390x"), "The architecture.",
	)
	f.Optional("machine", schema.Matching(&v.Machine, wordRE, "a name"), "QEMU's machine.")
	f.Optional("cpu", schema.Matching(&v.CPU, wordRE, "a name"), "QEMU's CPU.")
	f.Optional(
		"memory", schema.Matching(&v.Memory, memoryRE, "an amount of memory such as 512M or 2G"), "How much memory.",
	)
	f.Optional("cpus", schema.Number(&v.CPUs, 1, 64), "How many CPUs.")
	f.Optional(
		"mode", modes(&v.Modes),
		"Kernel modes the guest must prove before the steps run: selinux, fips, apparmor, lockdown, secureboot.",
	)
	f.Optional(
		"network", schema.Flag(&v.Network), "Whether the guest may reach the network; the lab's policy may forbid it.",
	)
	f.Optional("prompt", list(&v.Prompt), "Regular expressions of the shell's prompt.")
	f.Optional("login", schema.Optionally(&v.Login), "How to log in on the console.")
}

var (
	wordRE   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
	memoryRE = regexp.MustCompile(`^[1-9][0-9]{0,5}[MG]$`)
	modeRE   = regexp.MustCompile(
		`^(selinux=(enforcing|permissive|disabled)|fips=(on|off)|apparmor=(on|off)|` +
			`lockdown=(none|integrity|confidentiality)|secureboot=(on|off))$`,
	)
	numberRE = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	envRE    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// reference makes an image that is not a name into a reference.
func (v *VM) reference() {
	v.Root = nil
	if r, err := ParseReference(v.Image); err == nil && r.Kind != InRepository {
		v.Root = &r
	}
}
