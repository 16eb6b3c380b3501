package jobs

import (
	"fmt"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// crossCheck finds what is wrong between parts of a job, in the order in which LAVA's validator looks.
func (j *Job) crossCheck(n *schema.Node, r *schema.Report) {
	j.checkTimeouts(n, r)
	bodies := actionBodies(n)
	multinode := n.Get("protocols").Get("lava-multinode")
	if multinode != nil {
		for i, b := range bodies {
			if b.Get("role") == nil {
				r.Add(b, "", schema.Fault{
					Message:  fmt.Sprintf("actions[%d] has no role; with lava-multinode, every action has one", i),
					Expected: `the key "role"`,
				})
				break
			}
		}
	}
	for _, key := range []string{"device_type", "environment", "context", "tags"} {
		v := n.Get(key)
		switch used := v != nil && truthy(v); {
		case used && multinode != nil:
			r.Add(v, "", schema.Fault{
				Message: fmt.Sprintf("%q is not used with lava-multinode; roles have it", key), Found: key,
			})
		case key == "device_type" && !used && multinode == nil:
			r.Add(n, "", schema.Fault{
				Message: `neither "device_type" nor the protocol lava-multinode is there`, Expected: `the key "device_type"`,
			})
		}
	}
	checkNamespaces(bodies, r)
}

// actionBodies are the first sections of all actions, which are mappings when the schema was kept.
func actionBodies(n *schema.Node) []*schema.Node {
	var out []*schema.Node
	for _, item := range n.Get("actions").Items {
		if len(item.Entries) > 0 {
			out = append(out, item.Entries[0].Value)
		}
	}
	return out
}

func (j *Job) checkTimeouts(n *schema.Node, r *schema.Report) {
	limit := j.Timeouts.Job.Duration()
	at := n.Get("timeouts")
	check := func(node *schema.Node, t Timeout, path string) {
		if t.Duration() > limit {
			r.Add(node, path, schema.Fault{
				Message: fmt.Sprintf("%s is longer than the job's timeout, %s", t.Duration(), limit), Found: t.Duration().String(),
				Expected: "at most " + limit.String(),
			})
		}
	}
	named := func(key string, m map[string]Timeout) {
		for _, e := range entries(at.Get(key)) {
			check(e.Value, m[e.Key.Text], "timeouts."+key+"."+e.Key.Text)
		}
	}
	check(at.Get("action"), j.Timeouts.Action, "timeouts.action")
	named("actions", j.Timeouts.Actions)
	check(at.Get("connection"), j.Timeouts.Connection, "timeouts.connection")
	named("connections", j.Timeouts.Connections)
	for i, b := range actionBodies(n) {
		var t Timeout
		if node := b.Get("timeout"); node != nil {
			schema.Read(node, "", timeout(&t), schema.Lenient, new(schema.Report))
			check(node, t, fmt.Sprintf("actions[%d]", i))
		}
	}
}

func entries(n *schema.Node) []schema.Entry {
	if n == nil {
		return nil
	}
	return n.Entries
}

func checkNamespaces(bodies []*schema.Node, r *schema.Report) {
	var with, without []string
	var first *schema.Node
	for i, b := range bodies {
		name := fmt.Sprintf("actions[%d]", i)
		if ns := b.Get("namespace"); ns != nil && ns.Kind != schema.Null {
			with = append(with, name)
			continue
		}
		if without = append(without, name); first == nil {
			first = b
		}
	}
	if len(with) > 0 && len(without) > 0 {
		r.Add(first, "", schema.Fault{
			Message: fmt.Sprintf(
				"%s without a namespace, but %s with one: either all actions have one, or none", some3(without), some3(with),
			),
			Found: some3(without), Expected: `the key "namespace" in all actions`,
		})
	}
}

// some3 names up to three.
func some3(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
