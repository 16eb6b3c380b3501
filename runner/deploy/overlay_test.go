package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/overlay"
)

// TestDistributionPackages installs what LAVA's dispatcher installs: seen in the install.sh of its overlay.
func TestDistributionPackages(t *testing.T) {
	const src = `metadata: {format: Lava-Test Test Definition 1.0, name: smoke}
install: {deps: [common], deps-debian: [deb1, deb2], deps-oe: [oe]}
run: {steps: ["true"]}
`
	def, r := jobs.ParseTestDefinition([]byte(src), schema.Strict)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	for os, want := range map[string][]string{
		"": {"common"}, "debian": {"common", "deb1", "deb2"}, "oe": {"common", "oe"},
		"debian_installer": {"common", "deb1", "deb2"}, "fedora": {"common"},
	} {
		var got overlay.Definition
		if fill(&got, def, nil, os); !cmp.Equal(want, got.Install.Deps) {
			t.Errorf("os %q: %q, want %q", os, got.Install.Deps, want)
		}
	}
}
