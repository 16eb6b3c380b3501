package work

import (
	"fmt"

	"github.com/gantry-ci/gantry/app/checks"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
)

// refusedFile is the problem of a file that is not valid.
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

// configRefused is for a commit whose gantry.yml is not valid.
func configRefused(r *schema.Report) intents {
	p := refusedFile(config.Path, r)
	return intents{refused: p.Title, checks: []intent{{name: configCheck, path: config.Path, problem: p}}}
}

// forkRefused is for a commit of a fork in a lab that runs none.
func forkRefused() intents {
	const why = "pull requests from forks are not run by this lab"
	return intents{refused: why, checks: []intent{{name: configCheck, path: config.Path, problem: &checks.Problem{
		Conclusion: checks.ActionRequired, Title: "Not run: " + why,
		Summary: "The commit is in a fork, and this lab's policy runs no code of forks. " +
			"Somebody with write access can review the commit and push it to a branch of this repository.",
	}}}}
}
