package queue

import (
	"testing"
	"time"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

func TestAfter(t *testing.T) {
	ended := func(number, limit int, class results.Class) Ended {
		return Ended{Number: number, Max: limit, Accepted: true, Class: class}
	}
	silent := func(accepted bool, number int) Ended {
		return Ended{Number: number, Max: 2, Silent: true, Accepted: accepted, Class: results.ClassInfrastructure}
	}
	for name, c := range map[string]struct {
		ended Ended
		want  Next
	}{
		"passed":                       {ended(1, 2, ""), Complete},
		"a test failed":                {ended(1, 2, results.ClassTest), Complete},
		"timed out":                    {ended(1, 2, results.ClassTimeout), Complete},
		"a bug":                        {ended(1, 2, results.ClassBug), Complete},
		"the lab failed":               {ended(1, 2, results.ClassInfrastructure), Retry},
		"the lab failed twice":         {ended(2, 2, results.ClassInfrastructure), Complete},
		"the lab failed, no retry":     {ended(1, 1, results.ClassInfrastructure), Complete},
		"the runner fell silent":       {silent(true, 1), Retry},
		"it fell silent again":         {silent(true, 2), Complete},
		"the runner never heard of it": {silent(false, 2), Requeue},
	} {
		if got := After(c.ended); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestRenewLease(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		accepted bool
		left     time.Duration
		want     bool
	}{
		"not accepted yet": {false, lab.LeaseTimeout, true},
		"renewed just now": {true, lab.LeaseTimeout, false},
		"a heartbeat ago":  {true, lab.LeaseTimeout - lab.HeartbeatInterval, true},
		"its time is up":   {true, 0, true},
		"half an interval": {true, lab.LeaseTimeout - lab.HeartbeatInterval/2, false},
		"a little more":    {true, lab.LeaseTimeout - lab.HeartbeatInterval/2 - time.Second, true},
	} {
		if got := RenewLease(c.accepted, now.Add(c.left), now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestWaitUntil(t *testing.T) {
	now := time.Now()
	if got := WaitUntil(now, time.Minute); !got.Equal(now.Add(time.Minute)) {
		t.Error(got)
	}
	if got := WaitUntil(now, 0); !got.IsZero() {
		t.Error(got)
	}
}
