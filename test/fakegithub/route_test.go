package fakegithub

import (
	"slices"
	"testing"

	"github.com/gantry-ci/gantry/test/fakegithub/octokit"
)

// TestEveryOperationIsServed holds the list of operations and the table together.
func TestEveryOperationIsServed(t *testing.T) {
	served := sortedKeys((&Server{}).endpoints())
	listed := octokit.Operations()
	for _, op := range listed {
		if !slices.Contains(served, op) {
			t.Errorf("%s is in octokit/operations.txt and not served", op)
		}
	}
	for _, op := range served {
		if !slices.Contains(listed, op) {
			t.Errorf("%s is served and not in octokit/operations.txt: it would not be validated", op)
		}
	}
}
