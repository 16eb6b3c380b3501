package fakegithub

// Prefixes of the paths below.
const (
	ofRepo = "/repos/{owner}/{repo}"
)

// endpoints is the table of what is served, by the operation's name in GitHub's
// description: who may call it, with what permission, and the handler.
func (s *Server) endpoints() map[string]endpoint {
	table := map[string]endpoint{
		"GET /app":                           {theApp, "", (*call).getApp},
		"GET /app/installations":             {theApp, "", (*call).getInstallations},
		"GET /app/hook/config":               {theApp, "", (*call).getHookConfig},
		"PATCH /app/hook/config":             {theApp, "", (*call).updateHookConfig},
		"GET " + ofRepo + "/installation":    {theApp, "", (*call).repoInstallation},
		"GET /orgs/{org}/installation":       {theApp, "", (*call).accountInstallation},
		"GET /users/{username}/installation": {theApp, "", (*call).accountInstallation},
		"GET /installation/repositories":     {installed, "metadata:read", (*call).installationRepositories},
		"DELETE /installation/token":         {installed, "", (*call).revokeToken},
		"GET /rate_limit":                    {tokenOrNoone, "", (*call).getRateLimit},
		"GET /meta":                          {tokenOrNoone, "", (*call).getMeta},
		"GET /orgs/{org}/members/{username}": {installed, "members:read", (*call).isMember},

		"GET /app/installations/{installation_id}":                {theApp, "", (*call).getInstallation},
		"POST /app/installations/{installation_id}/access_tokens": {theApp, "", (*call).createToken},

		"GET " + ofRepo:                                          {installed, "metadata:read", (*call).getRepository},
		"GET " + ofRepo + "/contents/{path}":                     {installed, "contents:read", (*call).getContents},
		"GET " + ofRepo + "/collaborators/{username}/permission": {installed, "metadata:read", (*call).getPermission},

		"GET " + ofRepo + "/pulls":                       {installed, "pull_requests:read", (*call).getPulls},
		"GET " + ofRepo + "/pulls/{pull_number}":         {installed, "pull_requests:read", (*call).getPull},
		"GET " + ofRepo + "/pulls/{pull_number}/files":   {installed, "pull_requests:read", (*call).getPullFiles},
		"GET " + ofRepo + "/pulls/{pull_number}/commits": {installed, "pull_requests:read", (*call).getPullCommits},
		"GET " + ofRepo + "/commits/{commit_sha}/pulls":  {installed, "pull_requests:read", (*call).pullsOfCommit},

		"POST " + ofRepo + "/check-runs":                              {installed, "checks:write", (*call).createCheckRun},
		"GET " + ofRepo + "/check-runs/{check_run_id}":                {installed, "checks:read", (*call).getCheckRun},
		"PATCH " + ofRepo + "/check-runs/{check_run_id}":              {installed, "checks:write", (*call).updateCheckRun},
		"GET " + ofRepo + "/check-runs/{check_run_id}/annotations":    {installed, "checks:read", (*call).getAnnotations},
		"POST " + ofRepo + "/check-runs/{check_run_id}/rerequest":     {installed, "checks:write", (*call).rerequestCheckRun},
		"GET " + ofRepo + "/commits/{ref}/check-runs":                 {installed, "checks:read", (*call).checkRunsOfRef},
		"GET " + ofRepo + "/commits/{ref}/check-suites":               {installed, "checks:read", (*call).suitesOfRef},
		"GET " + ofRepo + "/check-suites/{check_suite_id}":            {installed, "checks:read", (*call).getCheckSuite},
		"GET " + ofRepo + "/check-suites/{check_suite_id}/check-runs": {installed, "checks:read", (*call).checkRunsOfSuite},
		"POST " + ofRepo + "/check-suites/{check_suite_id}/rerequest": {installed, "checks:write", (*call).rerequestCheckSuite},
		"GET " + ofRepo + "/issues/{issue_number}/comments":           {installed, "issues:read", (*call).getComments},
		"POST " + ofRepo + "/issues/{issue_number}/comments":          {installed, "issues:write", (*call).createComment},
		"GET " + ofRepo + "/issues/comments/{comment_id}":             {installed, "issues:read", (*call).getComment},
		"PATCH " + ofRepo + "/issues/comments/{comment_id}":           {installed, "issues:write", (*call).updateComment},
		"DELETE " + ofRepo + "/issues/comments/{comment_id}":          {installed, "issues:write", (*call).deleteComment},
		"GET " + ofRepo + "/issues/comments/{comment_id}/reactions":   {installed, "issues:read", (*call).getReactions},
		"POST " + ofRepo + "/issues/comments/{comment_id}/reactions":  {installed, "issues:write", (*call).createReaction},
	}
	return table
}
