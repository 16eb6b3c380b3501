package config

import (
	"fmt"
	"maps"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Matrix makes one run of each combination of its axes, as GitHub's does.
type Matrix struct {
	Axes    []Axis              // in the file's order
	Include []map[string]string // added to combinations that they do not contradict, else combinations of their own
	Exclude []map[string]string
}

// Axis is a name with its values.
type Axis struct {
	Name   string
	Values []string
}

// maxCombinations is GitHub's limit.
const maxCombinations = 256

// Fields declares the block.
func (m *Matrix) Fields(f *schema.Fields) {
	combination := func(v *map[string]string) schema.Type { return env(v) }
	f.Optional("include", schema.ListOf(&m.Include, combination), "Combinations to add, or values to add to combinations.")
	f.Optional("exclude", schema.ListOf(&m.Exclude, combination), "Combinations to leave out.")
	names := schema.Matching(new(string), jobNameRE, "a name of letters, digits, _ and -")
	f.Rest(names, schema.Each(func(name string) schema.Type {
		var values []string
		item := func(s *string) schema.Type {
			return schema.Parsed(s, "a string", func(s string) (string, error) { return s, nil })
		}
		return schema.Then(schema.ListOf(&values, item), func() { m.Axes = append(m.Axes, Axis{name, values}) })
	}))
	f.Check(func(*schema.Node) *schema.Fault {
		total := 1
		for _, a := range m.Axes {
			if total *= len(a.Values); total > maxCombinations {
				break
			}
		}
		if total+len(m.Include) > maxCombinations {
			return &schema.Fault{
				Message:  fmt.Sprintf("more than %d combinations", maxCombinations),
				Expected: fmt.Sprintf("at most %d", maxCombinations),
			}
		}
		return nil
	})
}

// Combinations are the values of each run; one empty one when there is no matrix.
func (m *Matrix) Combinations() []map[string]string {
	all := []map[string]string{{}}
	for _, a := range m.Axes {
		var next []map[string]string
		for _, base := range all {
			for _, v := range a.Values {
				c := maps.Clone(base)
				c[a.Name] = v
				next = append(next, c)
			}
		}
		all = next
	}
	if len(m.Axes) == 0 && len(m.Include) > 0 {
		all = nil
	}
	var out []map[string]string
	for _, c := range all {
		if !m.excluded(c) {
			out = append(out, c)
		}
	}
	return m.include(out)
}

func (m *Matrix) excluded(c map[string]string) bool {
	for _, x := range m.Exclude {
		same := true
		for k, v := range x {
			same = same && c[k] == v
		}
		if same {
			return true
		}
	}
	return false
}

// include follows GitHub: an entry joins every combination whose own values it does not change.
func (m *Matrix) include(all []map[string]string) []map[string]string {
	axes := make([]map[string]string, len(all))
	for i, c := range all {
		axes[i] = maps.Clone(c)
	}
	for _, x := range m.Include {
		joined := false
		for i, c := range all[:len(axes)] {
			fits := true
			for k, v := range x {
				own, has := axes[i][k]
				fits = fits && (!has || own == v)
			}
			if fits {
				maps.Copy(c, x)
				joined = true
			}
		}
		if !joined {
			all = append(all, maps.Clone(x))
		}
	}
	return all
}
