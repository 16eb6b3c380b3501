// Package fakegithub plays GitHub's side over real HTTP: the REST API as an App
// and its installations see it, and the signed webhooks that GitHub sends.
//
// It is strict where GitHub is strict, and tells where GitHub would keep quiet.
// Every request and every answer is validated against GitHub's own OpenAPI
// description (package octokit fetches it); the rules that the description
// leaves out, as that a completed check run needs a conclusion, are checked by
// hand. A request that breaks a rule is answered as GitHub answers it and is
// recorded as a Violation, which Start turns into a failure of the test.
//
// State is made by the methods of Server and Repo, never by editing replies:
// a repository is a folder on disk seen as a commit, a pull request is opened
// from a branch of it, and the payload of a webhook is derived from what the
// API would say at that moment, so that ids and SHAs agree everywhere.
//
// It knows nothing of gantry and uses none of the client libraries that gantry
// uses, so that both sides cannot share a mistake.
package fakegithub
