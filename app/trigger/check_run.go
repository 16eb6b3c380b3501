package trigger

// checkRun handles "Re-run" of one of our check runs. GitHub offers it to people with write access only.
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
