package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/jobs"
)

// LAVA's defaults, for an action without a timeout: lava_common/timeout.py.
const (
	defaultTimeout    = 30 * time.Second
	defaultConnection = 30 * time.Second
)

// limits sets levels and timeouts in LAVA's order, the later winning: default, action (device, job), named action
// (device, job), the action block's, the block's own by name. Where the job has a block tried again, its steps have
// their share of the block's timeout.
type limits struct{ device, job jobs.Timeouts }

// apply sets a node's and its children's; block is what the job gives its block, or a share of it.
func (t limits) apply(n *Node, a *jobs.Common, level string, block time.Duration) {
	n.Level = level
	n.Timeout = last(defaultTimeout,
		t.device.Action.Duration(), t.job.Action.Duration(),
		t.device.Actions[n.Name].Duration(), t.job.Actions[n.Name].Duration(),
		block, a.Timeouts[n.Name].Duration())
	n.Connection = last(defaultConnection,
		t.device.Connection.Duration(), t.job.Connection.Duration(),
		t.device.Connections[n.Name].Duration(), t.job.Connections[n.Name].Duration())
	if !strings.Contains(level, ".") {
		block /= time.Duration(n.Attempts)
	}
	for i, c := range n.Nodes {
		t.apply(c, a, fmt.Sprintf("%s.%d", level, i+1), block)
	}
}

// last is the last one that is set.
func last(d time.Duration, more ...time.Duration) time.Duration {
	for _, m := range more {
		if m > 0 {
			d = m
		}
	}
	return d
}
