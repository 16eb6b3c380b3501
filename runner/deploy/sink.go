package deploy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/overlay"
)

// destination is an image that gets LAVA's overlay, and what kind of image it is.
type destination struct {
	name string // of the image
	kind overlay.Kind
}

// refusal is why an image cannot get an overlay.
type refusal struct {
	line int // of the job; 0 is the action's
	text string
}

// destinations chooses the images that get LAVA's overlay, by what the job says of them: all that ask for it, or else
// the one that QEMU gets as its ramdisk.
func destinations(images map[string]*jobs.Image) (all []destination, refused []refusal) {
	names := slices.Sorted(maps.Keys(images))
	for _, name := range names {
		img := images[name]
		if !img.LavaOverlay {
			continue
		}
		if r := unfit(img); r != nil {
			refused = append(refused, *r)
			continue
		}
		all = append(all, destination{name, overlay.Kind(img.Format)})
	}
	if len(all)+len(refused) > 0 {
		return all, refused
	}
	for _, name := range names {
		if slices.Contains(strings.Fields(images[name].ImageArg), "-initrd") {
			return []destination{{name, overlay.KindRamdisk}}, nil
		}
	}
	return nil, []refusal{{text: "the tests' overlay needs an image to go into: one with `image_arg: -initrd {NAME}`, " +
		"or with overlays: {lava: true} and " + formats()}}
}

// unfit is why no sink puts an overlay into an image that asks for one.
func unfit(img *jobs.Image) *refusal {
	switch {
	case overlay.Sinks()[overlay.Kind(img.Format)] == nil:
		text := fmt.Sprintf("format %q: no overlay goes into that yet: %s", img.Format, formats())
		return &refusal{img.At("format").Line, text}
	case img.Partition >= 0:
		const text = "partition is valid, but gantry does not execute it yet: the image has to be the file system"
		return &refusal{img.At("partition").Line, text}
	case img.Sparse:
		return &refusal{img.At("sparse").Line, "sparse is valid, but gantry does not execute it yet"}
	}
	return nil
}

// formats are those with a sink.
func formats() string {
	var all []string
	for kind := range overlay.Sinks() {
		all = append(all, string(kind))
	}
	slices.Sort(all)
	return "format: " + strings.Join(all, ", ")
}
