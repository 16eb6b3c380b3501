package jobs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Job is a LAVA v2 job definition.
type Job struct {
	Name             string
	DeviceType       string // "" for multinode
	Device, Worker   string // the one target, or runner, that will do
	Tags             []string
	Priority         Priority
	Visibility       Visibility
	Timeouts         Timeouts
	Context          Context
	Metadata         map[string]*schema.Node
	Symbols          *Image // a vmlinux to decode stacks with, as metadata.gantry.symbols names it; nil for none
	Secrets          map[string]string
	Environment      map[string]*schema.Node
	Protocols        Protocols
	Notify           *Notify
	RebootToFastboot bool // true when the file does not say
	Actions          []Method
	Places           schema.Places
	Source           *schema.Node
}

// Fields declares the file.
func (j *Job) Fields(f *schema.Fields) {
	j.RebootToFastboot = true
	f.Places(&j.Places)
	f.Required("job_name", schema.Limited(&j.Name, 1, 200), "What the run is called.")
	f.Optional(
		"device_type", schema.Limited(&j.DeviceType, 1, 200), "The kind of target. Required unless the job is multinode.",
	)
	f.Optional("device", schema.Limited(&j.Device, 1, 200), "The one target that will do.")
	f.Optional("worker", schema.Limited(&j.Worker, 1, 200), "The one runner that will do.")
	f.Required("timeouts", schema.Sub(&j.Timeouts), "Limits of time.")
	f.Required("visibility", visibility(&j.Visibility), "Who may see the job.")
	f.Optional("context", schema.Sub(&j.Context), "Variables of the device's templates.")
	f.Optional("metadata", schema.MapOf(&j.Metadata, func(v **schema.Node) schema.Type {
		return schema.Anything(v)
	}), "Whatever its readers need. gantry reads `gantry: {symbols: …}`: the URL of a vmlinux with debug information, "+
		"to decode stacks with, or `url`, `compression` and `sha256sum`.")
	f.Optional("priority", priority(&j.Priority), "Which job goes first.")
	f.Optional("tags", schema.Texts(&j.Tags), "What the target must have.")
	f.Optional("secrets", schema.MapOf(&j.Secrets, schema.Text), "Tests see them as variables; logs never show them.")
	f.Optional("environment", schema.Nodes(&j.Environment), "Environment of the tests.")
	f.Optional("protocols", schema.Sub(&j.Protocols), "What the parts of the job talk by.")
	f.Optional("notify", schema.Optionally(&j.Notify), "Whom to tell of the end.")
	f.Optional("reboot_to_fastboot", schema.Flag(&j.RebootToFastboot), "Go back to fastboot at the end.")
	f.Required("actions", schema.ListOf(new([]struct{}), func(*struct{}) schema.Type {
		return actionType()
	}), "What to do, in order.")
}

// actionType is an action as it is read first: which section it is. Its body is read once all of the job is known to be
// in shape, as LAVA's validator does it.
func actionType() schema.Type {
	key := schema.OneOf(new(string), sectionNames()...)
	one := schema.MapLike(new(map[string]struct{}), key, func(*struct{}) schema.Type { return schema.Mapping(nil) })
	described := schema.Described(one, actionJSON)
	return schema.Tested(described, func(n *schema.Node) *schema.Fault {
		var sections []string
		for _, e := range n.Entries {
			if slices.Contains(sectionNames(), e.Key.Text) {
				sections = append(sections, e.Key.Text)
			}
		}
		switch {
		case len(n.Entries) == 0:
			return &schema.Fault{
				Message: "there is nothing in it", Found: "an empty mapping",
				Expected: "one of " + strings.Join(sectionNames(), ", "),
			}
		case len(sections) > 1:
			return &schema.Fault{
				Message: "an action is one thing, but this has " + strings.Join(sections, " and ") + "; is a - missing?",
				Found:   strings.Join(sections, ", "), Expected: "one of them",
			}
		}
		return nil
	})
}

// actionJSON is the JSON Schema of an action: one section with one of its methods.
func actionJSON() map[string]any {
	bySection := map[string][]map[string]any{}
	for _, m := range Methods() {
		for _, o := range Forms(m.New()) {
			bySection[m.Section] = append(bySection[m.Section], schema.JSON(o))
		}
	}
	var all []map[string]any
	for _, section := range sectionNames() {
		all = append(all, map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{section},
			"properties": map[string]any{section: map[string]any{"anyOf": bySection[section]}},
		})
	}
	return map[string]any{"anyOf": all}
}

// ParseJob reads a job definition: everything that is wrong with it comes back at once, in the order in which LAVA's
// validator meets it. The job is nil when there are errors.
func ParseJob(src []byte, mode schema.Mode) (*Job, *schema.Report) {
	n, r := schema.Parse(src, schema.YAML11)
	if n == nil {
		return nil, r
	}
	j := &Job{Source: n}
	schema.Decode(n, "", j, mode, r)
	if r.Valid() {
		j.crossCheck(n, r)
		j.readSymbols(mode, r)
	}
	j.readActions(n, mode, r)
	r.Place(src)
	if !r.Valid() {
		return nil, r
	}
	return j, r
}

// formed is a method that upstream declares as alternatives.
type formed interface{ Forms() []schema.Object }

// Forms are the alternatives of a method: itself, for most.
func Forms(m Method) []schema.Object {
	if f, ok := m.(formed); ok {
		return f.Forms()
	}
	return []schema.Object{m}
}

// readActions reads the bodies of those actions whose section is known.
func (j *Job) readActions(n *schema.Node, mode schema.Mode, r *schema.Report) {
	list := n.Get("actions")
	if list == nil {
		return
	}
	methods := Methods()
	for i, item := range list.Items {
		if r.Full() {
			return
		}
		if item.Kind != schema.Map || len(item.Entries) == 0 || item.Entries[0].Value.Kind != schema.Map {
			continue // said already
		}
		section, body := item.Entries[0].Key, item.Entries[0].Value
		if !slices.Contains(sectionNames(), section.Text) && mode == schema.Strict {
			continue // said already
		}
		path := fmt.Sprintf("actions[%d].%s", i, section.Text)
		d, fault := methodOf(methods, section.Text, body)
		if fault != nil {
			r.Add(section, path, *fault)
			continue
		}
		m := d.New()
		types := make([]schema.Type, 0, 2)
		for _, o := range Forms(m) {
			types = append(types, schema.Sub(o))
		}
		t := types[0]
		if len(types) > 1 {
			t = schema.Either("one of the method's forms", types...)
		}
		schema.Read(body, path, t, mode, r)
		b := m.Base()
		b.Section, b.Method, b.Position = section.Text, d.Name, section.Position
		j.Actions = append(j.Actions, m)
	}
}
