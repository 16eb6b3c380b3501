package work

import "github.com/riverqueue/river"

// deliveryJob handles an accepted webhook.
type deliveryJob struct {
	GUID string `json:"guid"`
}

// Kind is the job's name in the database.
func (deliveryJob) Kind() string { return "delivery" }

// checkJob writes a check to GitHub.
type checkJob struct {
	Check string `json:"check"`
}

// Kind is the job's name in the database.
func (checkJob) Kind() string { return "check" }

// sweepJob finds open checks that no job writes.
type sweepJob struct{}

// Kind is the job's name in the database.
func (sweepJob) Kind() string { return "sweep" }

// retentionJob deletes old rows and logs.
type retentionJob struct{}

// Kind is the job's name in the database.
func (retentionJob) Kind() string { return "retention" }

// missedJob fetches webhooks that never arrived.
type missedJob struct{}

// Kind is the job's name in the database.
func (missedJob) Kind() string { return "missed" }

// River's queues: a flood of one kind of jobs does not hold up the others.
const (
	deliveries  = "deliveries"
	checkWrites = "checks"
	upkeep      = river.QueueDefault
)
