package deploy

import (
	"context"
	"maps"
	"slices"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// tmpfs puts images into the run's folder, for a boot method to find.
func tmpfs(b *plan.Builder, p *jobs.DeployTmpfs) {
	b.Name("deployimages")
	images := plan.Provide(b, flow.Deployed)
	images.Spec = p.Images
	folder(b)
	files := map[string]*flow.File{}
	for _, name := range slices.Sorted(maps.Keys(p.Images)) {
		files[name] = download(b, name, p.Images[name])
	}
	testOverlay(b, p, p.OS, p.Images, files)
	b.Step("deploy-images", results.ClassBug, func(context.Context, *plan.Run) error {
		images.Files = map[string]flow.File{}
		for name, f := range files {
			images.Files[name] = *f
		}
		return nil
	})
}
