package config

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/internal/schema"
)

// Variant is one run of a job: what it runs on, and its values of the matrix and of the inputs.
type Variant struct {
	Types  []string // device types: any of them will do
	Tags   []string
	Matrix map[string]string
	Inputs map[string]string
}

// Name distinguishes the variant from the job's others; "" if there is only one.
func (v Variant) Name() string {
	var parts []string
	if len(v.Types) == 1 && v.Types[0] != guestType {
		parts = append(parts, v.Types[0])
	}
	for _, k := range slices.Sorted(maps.Keys(v.Matrix)) {
		parts = append(parts, v.Matrix[k])
	}
	return strings.Join(parts, ", ")
}

// guestType is the device type of guests that runners offer.
const guestType = "qemu"

// Variants are the runs of a job: device types times the matrix. A LAVA definition's own device_type decides for lava
// and jobs-from, whose variants have no types.
func (j *Job) Variants() []Variant {
	types, tags := [][]string{nil}, j.Tags
	switch {
	case j.VM != nil:
		types = [][]string{{guestType}}
	case j.Board != nil && j.Board.Any != nil:
		types, tags = [][]string{j.Board.Any}, j.Board.Tags
	case j.Board != nil:
		types, tags = nil, j.Board.Tags
		for _, t := range j.Board.Types {
			types = append(types, []string{t})
		}
	}
	var out []Variant
	for _, t := range types {
		for _, m := range j.Matrix.Combinations() {
			out = append(out, Variant{Types: t, Tags: tags, Matrix: m})
		}
	}
	return out
}

// Source is the repository at the tested commit.
type Source struct {
	URL    string // what git clones
	Commit string
}

// Expand writes a variant of a job with steps as a LAVA job definition. Files that are not at URLs have URLs of
// gantry's own: artifact://NAME/PATH, repository://PATH and image://NAME, which the runner resolves. A job that names
// its definition has nothing to expand.
func (j *Job) Expand(v Variant, src Source) ([]byte, error) {
	if j.VM == nil && j.Board == nil {
		return nil, fmt.Errorf("expand the job %q: its LAVA definition is a file", j.Name)
	}
	e := expansion{job: j, variant: v, source: src}
	if j.VM != nil {
		vm, err := j.VM.with(v.Matrix)
		if err != nil {
			return nil, fmt.Errorf("expand the job %q: %w", j.Name, err)
		}
		e.vm = vm
	}
	root := e.root()
	root.HeadComment = "Expanded from the job " + j.Name + " of " + Path + "."
	var out bytes.Buffer
	d, err := yaml.NewDumper(&out, yaml.WithV4Defaults(), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("expand the job %q: %w", j.Name, err)
	}
	if err := d.Dump(root); err != nil {
		return nil, fmt.Errorf("expand the job %q: %w", j.Name, err)
	}
	if err := d.Close(); err != nil {
		return nil, fmt.Errorf("expand the job %q: %w", j.Name, err)
	}
	return out.Bytes(), nil
}

// with is the machine after the matrix's values of its own keys.
func (v *VM) with(values map[string]string) (*VM, error) {
	vm := *v
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if !isVMKey(k) {
			continue
		}
		n, r := schema.Parse([]byte(values[k]), schema.YAML12)
		if n == nil {
			return nil, r.Err()
		}
		object := &schema.Node{Kind: schema.Map, Entries: []schema.Entry{
			{Key: &schema.Node{Kind: schema.String, Text: k}, Value: n},
		}}
		if k != "image" { // it must be there
			image := &schema.Node{Kind: schema.String, Text: vm.Image}
			object.Entries = append(object.Entries, schema.Entry{
				Key: &schema.Node{Kind: schema.String, Text: "image"}, Value: image,
			})
		}
		schema.Decode(object, "", &vm, schema.Strict, r)
		if !r.Valid() {
			return nil, fmt.Errorf("the matrix's %s cannot be %q: %s", k, values[k], r.Errors[0].Message)
		}
	}
	return &vm, nil
}

// isVMKey says that a matrix's name sets a key of vm.
func isVMKey(name string) bool {
	return slices.Contains([]string{
		"image", "kernel", "initrd", "symbols", "cmdline", "arch", "machine", "cpu", "memory", "cpus", "mode", "network",
	}, name)
}

type expansion struct {
	job     *Job
	vm      *VM
	variant Variant
	source  Source
}

func (e *expansion) root() *yaml.Node {
	name := e.job.Name
	if v := e.variant.Name(); v != "" {
		name += " (" + v + ")"
	}
	root := mapping(
		"job_name", text(plaintext.Runes(name, 200)),
		"device_type", text(first(e.variant.Types, guestType)),
		"visibility", text("public"),
		"timeouts", mapping("job", seconds(e.job.Timeout), "queue", seconds(e.job.QueueTimeout)),
	)
	if len(e.variant.Tags) > 0 {
		add(root, "tags", sequence(texts(e.variant.Tags)...))
	}
	if e.vm != nil {
		add(root, "context", e.context())
	}
	add(root, "metadata", mapping("gantry", e.metadata()))
	add(root, "actions", sequence(append(e.deploys(), e.boot(), e.test())...))
	return root
}

// metadata is what gantry's runner needs and LAVA has no key for.
func (e *expansion) metadata() *yaml.Node {
	m := mapping("job", text(e.job.Name))
	if e.vm != nil && len(e.vm.Modes) > 0 {
		add(m, "modes", sequence(texts(e.vm.Modes)...))
	}
	symbols := e.job.Symbols
	if e.vm != nil && e.vm.Symbols != nil {
		symbols = e.vm.Symbols
	}
	switch {
	case symbols == nil:
	case compressionOf(symbols.String()) != "":
		add(m, "symbols", image(symbols))
	default:
		add(m, "symbols", text(symbols.Location()))
	}
	if e.job.Retry.Tests > 0 {
		add(m, "retry-tests", number(e.job.Retry.Tests))
	}
	return m
}

func first(list []string, otherwise string) string {
	if len(list) > 0 {
		return list[0]
	}
	return otherwise
}
