package trigger

// checkRun reacts to "Re-run" on one of our check runs. GitHub offers it only to people with write access.
func checkRun(e Event, appID int64) Reaction {
	if e.Action != "rerequested" {
		return ignore("check_run %s starts nothing", e.Action)
	}
	if e.CheckRun.App.ID != appID {
		return ignore("the check run is another App's")
	}
	if e.CheckRun.HeadSHA == "" || e.CheckRun.ExternalID == "" {
		return refuse("the payload has no check run of ours")
	}
	return Reaction{Rerun: &Rerun{HeadSHA: e.CheckRun.HeadSHA, ExternalID: e.CheckRun.ExternalID, Name: e.CheckRun.Name}}
}
