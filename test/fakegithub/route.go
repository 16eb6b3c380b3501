package fakegithub

import "maps"

// Prefixes of the paths below.
const (
	ofRepo = "/repos/{owner}/{repo}"
	ofHook = "/app/hook/deliveries"
)

// endpoints is the table of what is served, by the operation's name in GitHub's
// description: who may call it, with what permission, and the handler.
func (s *Server) endpoints() map[string]endpoint {
	table := map[string]endpoint{}
	for _, part := range []map[string]endpoint{
		appEndpoints(), codeEndpoints(), checkEndpoints(), talkEndpoints(),
		actionsEndpoints(),
	} {
		maps.Copy(table, part)
	}
	return table
}

func appEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET /app":                                   {theApp, "", (*call).getApp},
		"GET /app/installations":                     {theApp, "", (*call).getInstallations},
		"GET /app/hook/config":                       {theApp, "", (*call).getHookConfig},
		"PATCH /app/hook/config":                     {theApp, "", (*call).updateHookConfig},
		"GET " + ofHook:                              {theApp, "", (*call).getDeliveries},
		"GET " + ofHook + "/{delivery_id}":           {theApp, "", (*call).getDelivery},
		"POST " + ofHook + "/{delivery_id}/attempts": {theApp, "", (*call).redeliver},
		"POST /app-manifests/{code}/conversions":     {anyone, "", (*call).convertManifest},
		"GET " + ofRepo + "/installation":            {theApp, "", (*call).repoInstallation},
		"GET /orgs/{org}/installation":               {theApp, "", (*call).accountInstallation},
		"GET /users/{username}/installation":         {theApp, "", (*call).accountInstallation},
		"GET /installation/repositories":             {installed, "metadata:read", (*call).installationRepositories},
		"DELETE /installation/token":                 {installed, "", (*call).revokeToken},
		"GET /rate_limit":                            {tokenOrNone, "", (*call).getRateLimit},
		"GET /meta":                                  {tokenOrNone, "", (*call).getMeta},

		"GET /app/installations/{installation_id}":                {theApp, "", (*call).getInstallation},
		"POST /app/installations/{installation_id}/access_tokens": {theApp, "", (*call).createToken},
	}
}

func codeEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET " + ofRepo:                               {installed, "metadata:read", (*call).getRepository},
		"GET " + ofRepo + "/contents/{path}":          {installed, "contents:read", (*call).getContents},
		"GET " + ofRepo + "/tarball/{ref}":            {installed, "contents:read", (*call).getTarball},
		"GET " + ofRepo + "/branches":                 {installed, "contents:read", (*call).getBranches},
		"GET " + ofRepo + "/branches/{branch}":        {installed, "contents:read", (*call).getBranch},
		"GET " + ofRepo + "/commits":                  {installed, "contents:read", (*call).getCommits},
		"GET " + ofRepo + "/commits/{ref}":            {installed, "contents:read", (*call).getCommit},
		"GET " + ofRepo + "/compare/{basehead}":       {installed, "contents:read", (*call).compare},
		"GET " + ofRepo + "/git/ref/{ref}":            {installed, "contents:read", (*call).getRef},
		"GET " + ofRepo + "/git/matching-refs/{ref}":  {installed, "contents:read", (*call).matchingRefs},
		"GET " + ofRepo + "/git/commits/{commit_sha}": {installed, "contents:read", (*call).getGitCommit},
		"GET " + ofRepo + "/git/trees/{tree_sha}":     {installed, "contents:read", (*call).getTree},
		"GET " + ofRepo + "/git/blobs/{file_sha}":     {installed, "contents:read", (*call).getBlob},

		"GET " + ofRepo + "/commits/{commit_sha}/pulls":  {installed, "pull_requests:read", (*call).pullsOfCommit},
		"GET " + ofRepo + "/pulls":                       {installed, "pull_requests:read", (*call).getPulls},
		"GET " + ofRepo + "/pulls/{pull_number}":         {installed, "pull_requests:read", (*call).getPull},
		"GET " + ofRepo + "/pulls/{pull_number}/files":   {installed, "pull_requests:read", (*call).getPullFiles},
		"GET " + ofRepo + "/pulls/{pull_number}/commits": {installed, "pull_requests:read", (*call).getPullCommits},
	}
}

func checkEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"POST " + ofRepo + "/check-runs":                              {installed, "checks:write", (*call).createCheckRun},
		"GET " + ofRepo + "/check-runs/{check_run_id}":                {installed, "checks:read", (*call).getCheckRun},
		"PATCH " + ofRepo + "/check-runs/{check_run_id}":              {installed, "checks:write", (*call).updateCheckRun},
		"GET " + ofRepo + "/check-runs/{check_run_id}/annotations":    {installed, "checks:read", (*call).getAnnotations},
		"POST " + ofRepo + "/check-runs/{check_run_id}/rerequest":     {installed, "checks:write", (*call).rerequestCheckRun},
		"GET " + ofRepo + "/commits/{ref}/check-runs":                 {installed, "checks:read", (*call).checkRunsOfRef},
		"GET " + ofRepo + "/commits/{ref}/check-suites":               {installed, "checks:read", (*call).suitesOfRef},
		"GET " + ofRepo + "/check-suites/{check_suite_id}":            {installed, "checks:read", (*call).getCheckSuite},
		"GET " + ofRepo + "/check-suites/{check_suite_id}/check-runs": {installed, "checks:read", (*call).checkRunsOfSuite},
		"POST " + ofRepo + "/check-suites/{check_suite_id}/rerequest": {
			installed, "checks:write", (*call).rerequestCheckSuite,
		},
	}
}

func talkEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET " + ofRepo + "/issues/{issue_number}/comments": {
			installed, "issues:read|pull_requests:read", (*call).getComments,
		},
		"POST " + ofRepo + "/issues/{issue_number}/comments": {
			installed, "issues:write|pull_requests:write", (*call).createComment,
		},
		"GET " + ofRepo + "/issues/comments/{comment_id}": {
			installed, "issues:read|pull_requests:read", (*call).getComment,
		},
		"PATCH " + ofRepo + "/issues/comments/{comment_id}": {
			installed, "issues:write|pull_requests:write", (*call).updateComment,
		},
		"DELETE " + ofRepo + "/issues/comments/{comment_id}": {
			installed, "issues:write|pull_requests:write", (*call).deleteComment,
		},
		"GET " + ofRepo + "/issues/comments/{comment_id}/reactions": {
			installed, "issues:read|pull_requests:read", (*call).getReactions,
		},
		"POST " + ofRepo + "/issues/comments/{comment_id}/reactions": {
			installed, "issues:write|pull_requests:write", (*call).createReaction,
		},
		"GET " + ofRepo + "/issues/{issue_number}/labels": {
			installed, "issues:read|pull_requests:read", (*call).getLabels,
		},
		"POST " + ofRepo + "/issues/{issue_number}/labels": {
			installed, "issues:write|pull_requests:write", (*call).addLabels,
		},
		"DELETE " + ofRepo + "/issues/{issue_number}/labels/{name}": {
			installed, "issues:write|pull_requests:write", (*call).removeLabel,
		},
		"GET " + ofRepo + "/collaborators/{username}/permission": {installed, "metadata:read", (*call).getPermission},
		"GET /orgs/{org}/members/{username}":                     {installed, "members:read", (*call).isMember},
	}
}

func actionsEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET " + ofRepo + "/actions/runs": {
			installed, "actions:read", (*call).getWorkflowRuns,
		},
		"GET " + ofRepo + "/actions/runs/{run_id}": {
			installed, "actions:read", (*call).getWorkflowRun,
		},
		"GET " + ofRepo + "/actions/runs/{run_id}/artifacts": {
			installed, "actions:read", (*call).getArtifacts,
		},
		"GET " + ofRepo + "/actions/artifacts": {
			installed, "actions:read", (*call).getArtifacts,
		},
		"GET " + ofRepo + "/actions/artifacts/{artifact_id}": {
			installed, "actions:read", (*call).getArtifact,
		},
		"GET " + ofRepo + "/actions/artifacts/{artifact_id}/{archive_format}": {
			installed, "actions:read", (*call).downloadArtifact,
		},
	}
}
