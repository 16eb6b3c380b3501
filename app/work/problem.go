package work

import (
	"fmt"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
)

// refusedFile is the problem of a file that cannot be used as it is.
func refusedFile(path string, r *schema.Report) *checks.Problem {
	first := r.Errors[0]
	title := fmt.Sprintf("%s:%d: %s", path, max(first.Line, 1), first.Message)
	if n := len(r.Errors) - 1; n > 0 {
		title += fmt.Sprintf(" (and %d more)", n)
	}
	return &checks.Problem{
		Conclusion: checks.Failure, Title: title, Summary: checks.Listing(path, r),
		Annotations: checks.AnnotationsOf(path, r),
	}
}

// configRefused is a commit whose gantry.yml is wrong.
func configRefused(r *schema.Report) plan {
	p := refusedFile(config.Path, r)
	return plan{refused: p.Title, checks: []planned{{name: configCheck, path: config.Path, problem: p}}}
}

// forkRefused is a commit of a fork in a lab that runs none.
func forkRefused() plan {
	const why = "pull requests from forks are not run by this lab"
	return plan{refused: why, checks: []planned{{name: configCheck, path: config.Path, problem: &checks.Problem{
		Conclusion: checks.ActionRequired, Title: "Not run: " + why,
		Summary: "The commit is in a fork, and this lab's policy runs no code of forks. Somebody with write access can review the commit and push it to a branch of this repository.",
	}}}}
}
