package trigger

// pullRequest handles changes of a pull request that may change what is tested.
func pullRequest(e Event) Reaction {
	switch e.Action {
	case "opened", "synchronize", "reopened", "ready_for_review", "labeled":
	case "closed":
	default:
		return ignore("pull_request %s starts nothing", e.Action)
	}
	if e.PullRequest.Number <= 0 || e.PullRequest.Head.SHA == "" {
		return refuse("the payload has no pull request with a head")
	}
	return Reaction{
		Pull: &Pull{
			Number: e.PullRequest.Number, HeadSHA: e.PullRequest.Head.SHA, Action: e.Action, Closed: e.Action == "closed",
		},
	}
}
