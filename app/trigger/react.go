package trigger

import (
	"fmt"
	"slices"
)

// Reaction is what an event leads to. Exactly one field is set.
type Reaction struct {
	Ignored string // why there is nothing to do
	Refused string // why it can never succeed
	Pull    *Pull
	Rerun   *Rerun
}

// Pull asks to bring a pull request up to date: to start the runs of its head and to cancel those of older heads, or,
// if it is closed, all of them.
type Pull struct {
	Number  int64
	HeadSHA string // at the event
	Action  string
	Closed  bool
}

// Rerun asks to run checks again.
type Rerun struct {
	HeadSHA    string
	ExternalID string // of the check run; empty for all checks of the commit
	Name       string
}

// Wants reports whether events of the name can start anything.
func Wants(event string) bool {
	return slices.Contains([]string{"pull_request", "check_run", "check_suite"}, event)
}

func ignore(format string, a ...any) Reaction { return Reaction{Ignored: fmt.Sprintf(format, a...)} }
func refuse(why string) Reaction              { return Reaction{Refused: why} }

// React decides what an event leads to, for the App with the id.
func React(e Event, appID int64) Reaction {
	var r Reaction
	switch e.Name {
	case "pull_request":
		r = pullRequest(e)
	case "check_run":
		r = checkRun(e, appID)
	case "check_suite":
		r = checkSuite(e, appID)
	case "ping":
		return ignore("a ping")
	default:
		return ignore("%s events start nothing", e.Name)
	}
	switch {
	case r.Ignored != "" || r.Refused != "":
		return r
	case e.Installation.ID <= 0:
		return refuse("the payload names no installation: the webhook is not the App's own")
	case e.Repository.FullName == "":
		return refuse("the payload names no repository")
	}
	return r
}
