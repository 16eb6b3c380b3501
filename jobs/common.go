package jobs

import (
	"math"

	"github.com/gantry-ci/gantry/internal/schema"
)

// DefaultNamespace is where an action acts that names none.
const DefaultNamespace = "common"

// Method is the language of one deploy, boot or test method. Its type is the tie to the executor in runner, which is
// written against it; jobs knows nothing of executors.
type Method interface {
	schema.Object
	Base() *Common
}

// Common is what every action may say.
type Common struct {
	schema.Position        // of the section's key
	Section, Method string // "boot", "minimal"; a test's method is definitions, docker, interactive, monitors or services
	Places          schema.Places

	Namespace            string
	ConnectionNamespace  string
	Protocols            *schema.Node
	Role                 []string
	Timeout              Timeout
	Timeouts             map[string]Timeout
	Repeat               int // 1 when the file does not say
	FailureRetry         int // 1 when the file does not say
	FailureRetryInterval int // seconds
}

// Base returns c itself, for code that handles every method.
func (c *Common) Base() *Common { return c }

// At is the place of one of the action's keys, or else of the action.
func (c *Common) At(key string) schema.Position {
	if p, ok := c.Places[key]; ok {
		return p
	}
	return c.Position
}

// Fields declares what every action may say.
func (c *Common) Fields(f *schema.Fields) {
	c.Namespace, c.Repeat, c.FailureRetry, c.FailureRetryInterval = DefaultNamespace, 1, 1, 1
	f.Place(&c.Position)
	f.Places(&c.Places)
	f.Optional(
		"namespace", schema.Except(&c.Namespace, "common", "docker-test-shell"),
		"Actions of one namespace share files and connections.",
	)
	f.Optional("connection-namespace", schema.Text(&c.ConnectionNamespace), "Whose connection to use.")
	f.Optional(
		"protocols", schema.Anything(&c.Protocols), "Requests to a protocol, made when the action of that name runs.",
	)
	f.Optional("role", schema.Texts(&c.Role), "The multinode roles that run this action.")
	f.Optional("timeout", timeout(&c.Timeout), "How long the whole block may take.")
	f.Optional("timeouts", schema.MapOf(&c.Timeouts, timeout), "By the name of an action in this block.")
	f.Optional("repeat", schema.Number(&c.Repeat, 1, math.Inf(1)), "How many times to run the block.")
	f.Optional(
		"failure_retry", schema.Number(&c.FailureRetry, 1, math.Inf(1)), "How many times to try before the block has failed.",
	)
	f.Optional(
		"failure_retry_interval", schema.Number(&c.FailureRetryInterval, 1, math.Inf(1)), "Seconds between two tries.",
	)
}
