package deploy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/overlay"
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
