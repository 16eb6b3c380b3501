package queue

import (
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
)

// LeaseUntil is when a lease is lost whose runner was last heard of now.
func LeaseUntil(now time.Time) time.Time { return now.Add(lab.LeaseTimeout) }

// RenewLease reports whether a heartbeat now is written to a lease that ends at until. The first one always is: it
// accepts the lease. After that, one that would add less than half an interval is not worth a write.
func RenewLease(accepted bool, until, now time.Time) bool {
	return !accepted || LeaseUntil(now).Sub(until) > lab.HeartbeatInterval/2
}
