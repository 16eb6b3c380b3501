package deploy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// tmpfsJob is a job whose images begin in line 8.
const tmpfsJob = `job_name: j
visibility: public
device_type: qemu
timeouts: {job: {minutes: 5}}
actions:
- deploy:
    to: tmpfs
    images:
`

func TestDestinations(t *testing.T) {
	const kernel = "      kernel: {url: 'http://host/k', image_arg: '-kernel {kernel}'}\n"
	const ext4 = "      a:\n        url: 'http://host/a'\n        format: ext4\n        overlays: {lava: true}\n"
	for name, c := range map[string]struct {
		images string
		want   []destination
		line   int
		refuse string
	}{
		"ramdisk by its argument": {
			kernel + "      rd: {url: 'http://host/r', image_arg: '-initrd {rd}'}\n",
			[]destination{{"rd", overlay.KindRamdisk}},
			0, "",
		},
		"ramdisk by its format": {
			kernel + "      rd: {url: 'http://host/r', format: cpio.newc, overlays: {lava: true}}\n",
			[]destination{{"rd", overlay.KindRamdisk}},
			0, "",
		},
		"ext4 before a ramdisk that does not ask": {
			"      rd: {url: 'http://host/r', image_arg: '-initrd {rd}'}\n" +
				"      root: {url: 'http://host/e', format: ext4, overlays: {lava: true}}\n",
			[]destination{{"root", overlay.KindExt4}},
			0, "",
		},
		"each that asks": {
			"      a: {url: 'http://host/a', format: tar, overlays: {lava: true}}\n" +
				"      b: {url: 'http://host/b', format: ext4, overlays: {lava: true}}\n",
			[]destination{{"a", overlay.KindTar}, {"b", overlay.KindExt4}},
			0, "",
		},
		"one that declines": {
			"      rd: {url: 'http://host/r', image_arg: '-initrd {rd}', format: cpio.newc, overlays: {lava: false}}\n",
			[]destination{{"rd", overlay.KindRamdisk}},
			0, "",
		},
		"none": {kernel, nil, 0, "format: cpio.newc, ext4, tar"},
		"partition": {
			ext4 + "        partition: 1\n",
			nil, 13, "partition is valid",
		},
		"sparse": {
			ext4 + "        sparse: true\n",
			nil, 13, "sparse is valid",
		},
	} {
		t.Run(name, func(t *testing.T) {
			j, r := jobs.ParseJob([]byte(tmpfsJob+c.images), schema.Strict)
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
			got, refused := destinations(j.Actions[0].(*jobs.DeployTmpfs).Images)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(destination{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			switch {
			case c.refuse == "" && len(refused) > 0:
				t.Errorf("refused: %v", refused)
			case c.refuse == "":
			case len(refused) != 1, refused[0].line != c.line, !strings.Contains(refused[0].text, c.refuse):
				t.Errorf("refused: %v, want line %d: %s", refused, c.line, c.refuse)
			}
		})
	}
}

// TestNoSink refuses a format that the language may get before a sink does.
func TestNoSink(t *testing.T) {
	img := &jobs.Image{LavaOverlay: true, Format: "squashfs", Partition: -1, Places: schema.Places{"format": {Line: 7}}}
	want := refusal{7, `format "squashfs": no overlay goes into that yet: format: cpio.newc, ext4, tar`}
	if _, got := destinations(map[string]*jobs.Image{"root": img}); len(got) != 1 || got[0] != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestEachImage deploys an image of each kind that gets the overlay, and has the tools of its format find it there.
func TestEachImage(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"mke2fs", "-q", "-t", "ext4", dir + "/ext4", "4M"},
		{"tar", "-C", dir, "-cf", dir + "/tar", "ext4"},
		{"sh", "-c", `cd "$0" && echo tar | busybox cpio -o -H newc >cpio`, dir},
	} {
		tool(t, args...)
	}
	src := tmpfsJob + fmt.Sprintf(`      a: {url: "file://%[1]s/ext4", format: ext4, overlays: {lava: true}}
      b: {url: "file://%[1]s/tar", format: tar, overlays: {lava: true}}
      c: {url: "file://%[1]s/cpio", format: cpio.newc, overlays: {lava: true}}
- test: {definitions: [{from: inline, name: a, path: a.yaml, repository: {
    metadata: {format: Lava-Test Test Definition 1.0, name: x}, run: {steps: ["true"]}}}]}
`, dir)
	j, report := jobs.ParseJob([]byte(src), schema.Lenient)
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	var images *flow.Images
	p, err := plan.Make(plan.Options{
		Job: j, Target: &dut.Target{Name: "qemu01"}, Policy: plan.Policy{Operator: true}, RunID: "7",
		Methods: append(Methods(), plan.For(func(b *plan.Builder, _ *jobs.TestDefinitions) {
			images = plan.Require(b, flow.Deployed)
			b.Step("nothing", results.ClassBug, func(context.Context, *plan.Run) error { return nil })
		})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Execute(t.Context(), attempt(t)); err != nil {
		t.Fatal(err)
	}
	const uuid = "lava-7/0/tests/0_a/uuid"
	if out := tool(t, "debugfs", "-R", "cat /"+uuid, images.Files["a"].Path); !strings.HasPrefix(out, "7_1.1") {
		t.Errorf("ext4: %q", out)
	}
	if out := tool(t, "tar", "-xOf", images.Files["b"].Path, uuid); !strings.HasPrefix(out, "7_1.1") {
		t.Errorf("tar: %q", out)
	}
	if b, err := os.ReadFile(images.Files["c"].Path); err != nil || !bytes.Contains(b, []byte(uuid)) {
		t.Errorf("cpio: %v", err)
	}
}

// tool runs one, where it is installed.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Skipf("no %s here", args[0])
	}
	out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).Output()
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return string(out)
}
