package trigger

// checkSuite handles "Re-run all checks" of a commit.
func checkSuite(e Event, appID int64) Reaction {
	if e.Action != "rerequested" {
		return ignore("check_suite %s starts nothing", e.Action)
	}
	if e.CheckSuite.App.ID != appID {
		return ignore("the check suite is another App's")
	}
	if e.CheckSuite.HeadSHA == "" {
		return refuse("the payload has no commit")
	}
	return Reaction{Rerun: &Rerun{HeadSHA: e.CheckSuite.HeadSHA}}
}
