package config

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Path is where the file is in a repository.
const Path = ".github/gantry.yml"

// Config is the file. What it may do is decided by the lab's policy, not here.
type Config struct {
	Version       int
	On            Triggers
	Forks         string // contributors, approve-once or approve-each; "" leaves it to the lab
	KnownFailures string // a path in the repository
	KernelLog     string // likewise
	Defaults      Defaults
	Inputs        []Input // in the file's order
	Jobs          []*Job  // in the file's order
	Required      []string
	Checks        string // per-job or per-run
}

// Defaults hold for jobs that do not say otherwise.
type Defaults struct {
	Timeout      time.Duration
	QueueTimeout time.Duration
	Retry        Retry
}

// Retry says what is tried again, and how often.
type Retry struct {
	Infrastructure int // attempts after one that the lab spoilt; 0 or 1
	Tests          int // runs of failed cases
}

// What holds when neither the job nor defaults say otherwise.
const (
	DefaultTimeout      = 30 * time.Minute
	DefaultQueueTimeout = 6 * time.Hour
)

// Job finds a job by its name; nil if there is none.
func (c *Config) Job(name string) *Job {
	i := slices.IndexFunc(c.Jobs, func(j *Job) bool { return j.Name == name })
	if i < 0 {
		return nil
	}
	return c.Jobs[i]
}

// Fields declares the file.
func (c *Config) Fields(f *schema.Fields) {
	c.Defaults = Defaults{DefaultTimeout, DefaultQueueTimeout, Retry{Infrastructure: 1}}
	c.Checks = "per-job"
	f.Required("version", schema.Tested(schema.Integer(&c.Version), isVersion), "The version of this format: 1.")
	f.Required("on", c.On.typ(), "Which events start runs: a name, a list of names, or a mapping with filters.")
	f.Optional(
		"forks", forks(&c.Forks),
		"Who must approve runs for pull requests from forks: `contributors` lets those who contributed before run at "+
			"once, `approve-once` asks for each new author, `approve-each` for each commit. The lab's policy may be stricter.",
	)
	f.Optional("known-failures", repositoryPath(&c.KnownFailures), "The list of known failures in the repository.")
	f.Optional(
		"kernel-log", repositoryPath(&c.KernelLog),
		"The list of kernel messages that are allowed or denied, in the repository.",
	)
	f.Optional("defaults", schema.Sub(&c.Defaults), "What holds for jobs that do not say otherwise.")
	f.Optional("inputs", inputs(&c.Inputs), "What a person may set when starting jobs by hand.")
	f.Required("jobs", jobList(&c.Jobs), "The jobs, by name. Each is a check.")
	f.Optional(
		"required", schema.Texts(&c.Required),
		"The jobs that the rollup check `gantry` covers; all of them when the file does not say.",
	)
	f.Optional(
		"checks", schema.OneOf(&c.Checks, "per-job", "per-run"),
		"Whether a job is one check with a table of its runs, or each run a check.",
	)
}

func isVersion(n *schema.Node) *schema.Fault {
	if n.Int == 1 {
		return nil
	}
	return &schema.Fault{Message: "this version of the format is not known", Found: n.Text, Expected: "1"}
}

func forks(dst *string) schema.Type {
	return schema.OneOf(dst, "contributors", "approve-once", "approve-each")
}

// Fields declares the block.
func (d *Defaults) Fields(f *schema.Fields) {
	f.Optional("timeout", Duration(&d.Timeout), "How long a run may take, from the moment it has its target.")
	f.Optional("queue-timeout", Duration(&d.QueueTimeout), "How long a run may wait for a target.")
	f.Optional("retry", schema.Sub(&d.Retry), "What is tried again.")
}

// Fields declares the block.
func (r *Retry) Fields(f *schema.Fields) {
	f.Optional("infrastructure", schema.Number(&r.Infrastructure, 0, 1), "Attempts after one that the lab spoilt.")
	f.Optional(
		"tests", schema.Number(&r.Tests, 0, maxTestRetries),
		"How often failed cases' definitions are run again; what changes is marked flaky.",
	)
}

// maxTestRetries keeps flaky tests from holding a target for hours.
const maxTestRetries = 5

var durationRE = regexp.MustCompile(`^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$`)

// Duration is the type of a length of time, such as 30m, 1h30m or 2d.
func Duration(dst *time.Duration) schema.Type {
	return schema.Parsed(dst, "a length of time such as 30m, 1h30m or 2d", func(s string) (time.Duration, error) {
		m := durationRE.FindStringSubmatch(s)
		if s == "" || m == nil {
			return 0, fmt.Errorf("%q is no length of time; write it like 30m, 1h30m or 2d", s)
		}
		var total time.Duration
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			if m[i+1] == "" {
				continue
			}
			var n int
			if _, err := fmt.Sscanf(m[i+1], "%d", &n); err != nil || n > int(maxDuration/unit) {
				return 0, fmt.Errorf("%q is longer than %d days", s, maxDuration/(24*time.Hour))
			}
			total += time.Duration(n) * unit
		}
		if total <= 0 || total > maxDuration {
			return 0, fmt.Errorf("%q is not between 1s and %d days", s, maxDuration/(24*time.Hour))
		}
		return total, nil
	})
}

// maxDuration is longer than any run or queue needs; it catches slips of units.
const maxDuration = 30 * 24 * time.Hour

// Parse reads the file. Everything that is wrong with it comes back at once; the config is nil when there are errors.
func Parse(src []byte) (*Config, *schema.Report) {
	n, r := schema.Parse(src, schema.YAML12)
	if n == nil {
		return nil, r
	}
	c := new(Config)
	schema.Decode(n, "", c, schema.Strict, r)
	if r.Valid() {
		c.applyDefaults()
		c.check(n, r)
	}
	r.Place(src)
	if !r.Valid() {
		return nil, r
	}
	return c, r
}
