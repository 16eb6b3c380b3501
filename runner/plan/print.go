package plan

import (
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/jobs"
)

// Print writes the tree for people, one node a line: level, name, effective timeouts, attempts, and who is blamed
// when it fails.
func (p *Plan) Print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%-8s %-36s %s\n", "job", "", p.Root.Timeout); err != nil {
		return err
	}
	for _, n := range p.Root.Nodes {
		if err := n.print(w, 0); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) print(w io.Writer, depth int) error {
	indent := strings.Repeat("  ", depth)
	var b strings.Builder
	fmt.Fprintf(&b, "%-8s %-36s %-8s", n.Level, indent+n.Name, n.Timeout)
	if n.Section != "deploy" {
		fmt.Fprintf(&b, " connection %s", n.Connection)
	}
	if n.Attempts > 1 {
		fmt.Fprintf(&b, " attempts %d", n.Attempts)
	}
	if n.Skip && depth == 0 {
		b.WriteString(" skip")
	}
	if n.Namespace != jobs.DefaultNamespace && depth == 0 {
		b.WriteString(" namespace " + plaintext.Printable(n.Namespace, ""))
	}
	if n.Blame != "" {
		b.WriteString(" blames " + string(n.Blame))
	}
	for _, remark := range n.Remarks {
		fmt.Fprintf(&b, "\n%9s%snote: %s", "", indent, remark)
	}
	if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
		return err
	}
	for _, c := range n.Nodes {
		if err := c.print(w, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Action is a node as plan.yaml and gantry plan --format=json show it. Durations are in seconds.
type Action struct {
	Level       string   `json:"level,omitempty" yaml:"level,omitempty"`
	Name        string   `json:"name" yaml:"name"`
	Section     string   `json:"section,omitempty" yaml:"section,omitempty"`
	Namespace   string   `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	Line        int      `json:"line,omitempty" yaml:"line,omitempty"`
	TimeoutS    float64  `json:"timeout_s" yaml:"timeout_s"`
	ConnectionS float64  `json:"connection_timeout_s,omitempty" yaml:"connection_timeout_s,omitempty"`
	Skip        bool     `json:"skip,omitempty" yaml:"skip,omitempty"`
	Attempts    int      `json:"attempts" yaml:"attempts"`
	Blame       string   `json:"blame,omitempty" yaml:"blame,omitempty"`
	Remarks     []string `json:"notes,omitempty" yaml:"notes,omitempty"`
	Actions     []Action `json:"actions,omitempty" yaml:"actions,omitempty"`
}

// Describe is the tree as data.
func (p *Plan) Describe() Action { return p.Root.describe() }

func (n *Node) describe() Action {
	a := Action{
		Level: n.Level, Name: n.Name, Section: n.Section, Namespace: n.Namespace, Line: n.Line,
		TimeoutS: n.Timeout.Seconds(), ConnectionS: n.Connection.Seconds(), Skip: n.Skip,
		Attempts: n.Attempts, Blame: string(n.Blame), Remarks: n.Remarks,
	}
	for _, c := range n.Nodes {
		a.Actions = append(a.Actions, c.describe())
	}
	return a
}

// YAML is plan.yaml.
func (p *Plan) YAML() ([]byte, error) { return yaml.Marshal(p.Describe()) }

// Remarks are all remarks of the plan, each with its action.
func (p *Plan) Remarks() []string { return p.Root.remarks(nil) }

func (n *Node) remarks(all []string) []string {
	for _, remark := range n.Remarks {
		all = append(all, n.Level+" "+n.Name+": "+remark)
	}
	for _, c := range n.Nodes {
		all = c.remarks(all)
	}
	return all
}
