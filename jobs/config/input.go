package config

import (
	"fmt"
	"slices"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Input is what a person may set when starting jobs by hand: `/gantry run smoke level=full`, or `gantry submit
// --input`. Steps see it as the variable INPUT_NAME.
type Input struct {
	Name, Description string
	Type              string // string, boolean, number or choice
	Default           string
	Required          bool
	Options           []string // of a choice
}

func inputs(dst *[]Input) schema.Type {
	var byName map[string]*Input
	names := schema.Matching(new(string), jobNameRE, "a name of letters, digits, _ and -")
	return schema.Tested(schema.MapLike(&byName, names, func(i **Input) schema.Type {
		*i = new(Input)
		return schema.Sub(*i)
	}), func(n *schema.Node) *schema.Fault {
		*dst = nil
		for _, e := range n.Entries {
			i := *byName[e.Key.Text]
			i.Name = e.Key.Text
			*dst = append(*dst, i)
		}
		return nil
	})
}

// Fields declares an input.
func (i *Input) Fields(f *schema.Fields) {
	i.Type = "string"
	f.Optional("description", schema.Text(&i.Description), "What it is for.")
	f.Optional("type", schema.OneOf(&i.Type, "string", "boolean", "number", "choice"), "What it may be.")
	f.Optional("default", schema.Parsed(&i.Default, "a string", func(s string) (string, error) {
		return s, nil
	}), "Its value when nobody sets it.")
	f.Optional("required", schema.Flag(&i.Required), "It must be set.")
	f.Optional("options", list(&i.Options), "The values of a choice.")
	f.Check(func(*schema.Node) *schema.Fault {
		switch {
		case i.Type == "choice" && len(i.Options) == 0:
			return &schema.Fault{Path: "options", Message: "a choice needs options", Expected: "a list of strings"}
		case i.Default != "" && i.Check(i.Default) != nil:
			return &schema.Fault{Path: "default", Message: i.Check(i.Default).Error(), Found: i.Default}
		}
		return nil
	})
}

// Check says what is wrong with a value.
func (i *Input) Check(value string) error {
	switch {
	case len(value) > maxText:
		return fmt.Errorf("the input %s is longer than %d characters", i.Name, maxText)
	case i.Type == "boolean" && value != "true" && value != "false":
		return fmt.Errorf("the input %s is true or false, not %q", i.Name, value)
	case i.Type == "choice" && !slices.Contains(i.Options, value):
		return fmt.Errorf("the input %s is one of %q, not %q", i.Name, i.Options, value)
	case i.Type == "number" && !numberRE.MatchString(value):
		return fmt.Errorf("the input %s is a number, not %q", i.Name, value)
	}
	return nil
}
