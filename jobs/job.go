package jobs

import (
	"fmt"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Job is a LAVA v2 job definition.
type Job struct {
	Name        string
	DeviceType  string
	Device      string
	Worker      string
	Tags        []string
	Priority    Priority
	Visibility  Visibility
	Timeouts    Timeouts
	Context     Context
	Metadata    map[string]*schema.Node
	Secrets     map[string]string
	Environment map[string]*schema.Node
	Protocols   Protocols
	Actions     []Method
	Source      *schema.Node

	RebootToFastboot bool
	actions          []action
}

// action is a part of the list as it is read first: which section, and its body.
type action struct {
	section   string
	key, body *schema.Node
}

// Fields declares the file.
func (j *Job) Fields(f *schema.Fields) {
	f.Required("job_name", schema.Limited(&j.Name, 1, 200), "What the run is called.")
	f.Optional("device_type", schema.Limited(&j.DeviceType, 1, 200), "The kind of target. Required unless the job is multinode.")
	f.Optional("device", schema.Limited(&j.Device, 1, 200), "The one target that will do.")
	f.Optional("worker", schema.Limited(&j.Worker, 1, 200), "The one runner that will do.")
	f.Required("timeouts", schema.Sub(&j.Timeouts), "Limits of time.")
	f.Required("visibility", visibility(&j.Visibility), "Who may see the job.")
	f.Optional("context", schema.Sub(&j.Context), "Variables of the device's templates.")
	f.Optional("metadata", schema.MapOf(&j.Metadata, func(v **schema.Node) schema.Type { return schema.Anything(v) }), "Whatever its readers need.")
	f.Optional("priority", priority(&j.Priority), "Which job goes first.")
	f.Optional("tags", schema.Texts(&j.Tags), "What the target must have.")
	f.Optional("protocols", schema.Mapping(nil), "")
	f.Optional("secrets", schema.Mapping(nil), "")
	f.Optional("environment", schema.Mapping(nil), "")
	f.Optional("notify", schema.Mapping(nil), "")
	f.Required("actions", schema.ListOf(&j.actions, func(a *action) schema.Type { return a.typ() }), "What to do, in order.")
}

func (a *action) typ() schema.Type {
	return schema.MapOf(new(map[string]struct{}), func(*struct{}) schema.Type { return schema.Mapping(nil) })
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
	j.readActions(n, mode, r)
	r.Place(src)
	if !r.Valid() {
		return nil, r
	}
	return j, r
}

func (j *Job) readActions(n *schema.Node, mode schema.Mode, r *schema.Report) {
	list := n.Get("actions")
	if list == nil {
		return
	}
	for i, item := range list.Items {
		if item.Kind != schema.Map || len(item.Entries) != 1 || item.Entries[0].Value.Kind != schema.Map {
			continue // said already
		}
		section, body := item.Entries[0].Key, item.Entries[0].Value
		path := fmt.Sprintf("actions[%d].%s", i, section.Text)
		d, fault := methodOf(section.Text, body)
		if fault != nil {
			r.Add(section, path, *fault)
			continue
		}
		m := d.New()
		schema.Decode(body, path, m, mode, r)
		b := m.Base()
		b.Section, b.Method, b.Position = section.Text, d.Name, section.Position
		j.Actions = append(j.Actions, m)
	}
}
