package deploy

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/runner/overlay"
)

// params are the definition's defaults, with the job's values over them.
func params(defaults, job map[string]*schema.Node) (vars []overlay.Var) {
	all := maps.Clone(defaults)
	if all == nil {
		all = map[string]*schema.Node{}
	}
	maps.Copy(all, job)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		vars = append(vars, overlay.Var{Name: name, Value: param(all[name])})
	}
	return vars
}

// param is a value as LAVA hands it to the shell, which is written in Python: what Python holds for false is the empty
// string, and the rest is as str writes it.
func param(n *schema.Node) string {
	switch {
	case n == nil, n.Kind == schema.Null, n.Kind == schema.Bool && !n.Bool,
		n.Kind == schema.Int && n.Big == nil && n.Int == 0, n.Kind == schema.Float && n.Float == 0,
		n.Kind == schema.List && len(n.Items) == 0, n.Kind == schema.Map && len(n.Entries) == 0:
		return ""
	}
	return python(n)
}

// python writes a value as Python's str does; but for the quotes around strings within lists and mappings, which the
// shell of LAVA's script takes away.
func python(n *schema.Node) string {
	switch n.Kind {
	case schema.Null:
		return "None"
	case schema.Bool:
		return map[bool]string{true: "True", false: "False"}[n.Bool]
	case schema.Int:
		if n.Big != nil {
			return n.Big.String()
		}
		return strconv.FormatInt(n.Int, 10)
	case schema.Float:
		return float(n.Float)
	case schema.List:
		var items []string
		for _, item := range n.Items {
			items = append(items, python(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case schema.Map:
		var entries []string
		for _, e := range n.Entries {
			entries = append(entries, fmt.Sprintf("%s: %s", python(e.Key), python(e.Value)))
		}
		return "{" + strings.Join(entries, ", ") + "}"
	}
	return n.Text
}

// environment is a variable of the job's environment as LAVA exports it: what a list or a mapping holds gets variables
// of its own, with the index or the key behind an underscore.
func environment(name string, n *schema.Node) (vars []overlay.Var) {
	switch {
	case n == nil:
	case n.Kind == schema.List:
		for i, item := range n.Items {
			vars = append(vars, environment(fmt.Sprintf("%s_%d", name, i), item)...)
		}
		return vars
	case n.Kind == schema.Map:
		for _, e := range n.Entries {
			vars = append(vars, environment(name+"_"+python(e.Key), e.Value)...)
		}
		return vars
	case n.Kind == schema.Bool:
		return []overlay.Var{{Name: name, Value: map[bool]string{true: "1", false: "0"}[n.Bool]}}
	case n.Kind != schema.Null:
		return []overlay.Var{{Name: name, Value: python(n)}}
	}
	return []overlay.Var{{Name: name}}
}

// float is the shortest text that reads as f, with an exponent where Python has one.
func float(f float64) string {
	if size := math.Abs(f); math.IsInf(f, 0) || math.IsNaN(f) {
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+"))
	} else if size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
