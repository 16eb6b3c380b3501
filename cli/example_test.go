package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/cli"
	"github.com/gantry-ci/gantry/test/guest"
)

// TestManualExample runs the job in docs/language.md as a reader would.
func TestManualExample(t *testing.T) {
	dir := guest.Images(t)
	manual, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(manual), "<!-- example: job -->\n```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	job := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(job, []byte(strings.ReplaceAll(example, "/srv/images", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, progress strings.Builder
	code := cli.Main(t.Context(), []string{
		"run", "--device", "qemu-x86_64", "--output-dir", filepath.Join(t.TempDir(), "out"), job,
	}, &out, &progress)
	var names []string
	for line := range strings.Lines(out.String()) {
		names = append(names, strings.Join(strings.Fields(line)[:2], " "))
	}
	want := []string{
		"pass 0_smoke/kernel-runs", "pass 0_smoke/memory", "pass bench/copy", "pass 1_shell/hostname", "verdict pass",
	}
	if d := cmp.Diff(want, names); d != "" || code != 0 {
		t.Errorf("exit %d, %s\n%s", code, d, progress.String())
	}
}
