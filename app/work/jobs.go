package work

import "github.com/riverqueue/river"

// deliveryJob handles an accepted webhook.
type deliveryJob struct {
	GUID string `json:"guid"`
}

// Kind is the job's name in the database.
func (deliveryJob) Kind() string { return "delivery" }

// checkJob tells GitHub of a check.
type checkJob struct {
	Check string `json:"check"`
}

// Kind is the job's name in the database.
func (checkJob) Kind() string { return "check" }

// sweepJob looks for checks that nobody writes.
type sweepJob struct{}

// Kind is the job's name in the database.
func (sweepJob) Kind() string { return "sweep" }

// retentionJob forgets what is old.
type retentionJob struct{}

// Kind is the job's name in the database.
func (retentionJob) Kind() string { return "retention" }

// missedJob looks for webhooks that never arrived.
type missedJob struct{}

// Kind is the job's name in the database.
func (missedJob) Kind() string { return "missed" }

// Queues: a flood of one kind does not hold up the others.
const (
	deliveries  = "deliveries"
	checkWrites = "checks"
	upkeep      = river.QueueDefault
)
