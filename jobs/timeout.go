package jobs

import (
	"math"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Timeout is one of LAVA's timeout objects: exactly one unit, and whether running out of it ends the job.
type Timeout struct {
	Days, Hours, Minutes, Seconds float64
	Skip                          bool            // of a test block: go on with the next block
	Place                         schema.Position // of the key
}

// IsSet says that the file has this timeout.
func (t Timeout) IsSet() bool { return t.Duration() > 0 }

// Duration is zero for a timeout that the file does not have.
func (t Timeout) Duration() time.Duration {
	seconds := ((t.Days*24+t.Hours)*60+t.Minutes)*60 + t.Seconds
	if max := float64(math.MaxInt64 / int64(time.Second)); seconds >= max {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

// Fields declares the object.
func (t *Timeout) Fields(f *schema.Fields) {
	f.Place(&t.Place)
	f.Optional("days", schema.Number(&t.Days, 1, math.Inf(1)), "Days.")
	f.Optional("hours", schema.Number(&t.Hours, 1, math.Inf(1)), "Hours.")
	f.Optional("minutes", schema.Number(&t.Minutes, 1, math.Inf(1)), "Minutes.")
	f.Optional("seconds", schema.Number(&t.Seconds, 1, math.Inf(1)), "Seconds.")
	f.Optional("skip", schema.Flag(&t.Skip), "Of a test block: running out of time does not end the job.")
}

// timeout is the type of a key that holds a Timeout.
func timeout(t *Timeout) schema.Type {
	return schema.OneKeyOf(t, "days", "hours", "minutes", "seconds")
}

// Timeouts is the job's timeouts block.
type Timeouts struct {
	Job         Timeout // the execution budget; starts when the target is leased
	Action      Timeout
	Actions     map[string]Timeout // by action name, as gantry plan prints them
	Connection  Timeout
	Connections map[string]Timeout
	Queue       Timeout
}

// Fields declares the block.
func (t *Timeouts) Fields(f *schema.Fields) {
	f.Required("job", timeout(&t.Job), "The execution budget of the whole job. It starts when the target is leased.")
	f.Optional("action", timeout(&t.Action), "Default for every action.")
	f.Optional("actions", schema.MapOf(&t.Actions, timeout), "By the name of the action, as `gantry plan` prints it.")
	f.Optional(
		"connection", timeout(&t.Connection),
		"How long a test typed at a prompt (interactive) waits for each answer of the target; boots have their own timeout.",
	)
	f.Optional("connections", schema.MapOf(&t.Connections, timeout), "The same, by the name of the action.")
	f.Optional("queue", timeout(&t.Queue), "How long the job may wait for a target.")
}
