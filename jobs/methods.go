package jobs

import "github.com/gantry-ci/gantry/internal/schema"

// Declared is a row of Methods.
type Declared struct {
	Section string // deploy, boot, test or command
	Name    string // tmpfs; of a test, the key that makes it one of its kind
	New     func() Method
}

// Methods lists the language's methods: the one table.
func Methods() []Declared {
	return []Declared{
		{"deploy", "tmpfs", func() Method { return new(DeployTmpfs) }},

		{"boot", "qemu", func() Method { return new(BootQemu) }},

		{"test", "definitions", func() Method { return new(TestDefinitions) }},
	}
}

// selectors are the keys that name a method of a section.
func selector(section string) string {
	switch section {
	case "deploy":
		return "to"
	case "boot":
		return "method"
	}
	return ""
}

// methodOf says which method the body of a section asks for; a fault if none that we know.
func methodOf(section string, body *schema.Node) (Declared, *schema.Fault) {
	if section == "test" {
		return testOf(body)
	}
	key := selector(section)
	v := body.Get(key)
	if v == nil {
		return Declared{}, &schema.Fault{Path: key, Message: "the key \"" + key + "\" is missing", Expected: "the name of a " + section + " method"}
	}
	for _, m := range Methods() {
		if m.Section == section && v.Kind == schema.String && m.Name == v.Text {
			return m, nil
		}
	}
	return Declared{}, &schema.Fault{Path: key, At: v, Message: "no such " + section + " method", Found: v.Text, Expected: "the name of a " + section + " method"}
}

func testOf(body *schema.Node) (Declared, *schema.Fault) {
	for _, m := range Methods() {
		if m.Section == "test" && body.Get(m.Name) != nil {
			return m, nil
		}
	}
	return Declared{}, &schema.Fault{Message: "no such kind of test", Expected: "one of the keys definitions, interactive, monitors, services"}
}
