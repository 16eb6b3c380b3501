package schema

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// PyYAML's implicit resolvers, as its documentation of YAML 1.1 types gives them. Timestamps and sexagesimal numbers
// are why YAML 1.2 readers disagree with it.
var (
	boolRE = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	nullRE = regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)
	intRE  = regexp.MustCompile(
		`^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`,
	)
	floatRE = regexp.MustCompile(
		`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|` +
			`[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`,
	)
	dateRE = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	timeRE = regexp.MustCompile(
		`^([0-9]{4})-([0-9][0-9]?)-([0-9][0-9]?)(?:[Tt]|[ \t]+)` +
			`([0-9][0-9]?):([0-9][0-9]):([0-9][0-9])(?:\.([0-9]*))?` +
			`(?:[ \t]*(?:Z|([-+])([0-9][0-9]?)(?::([0-9][0-9]))?))?$`,
	)

	// YAML 1.2's core schema, for .github/gantry.yml.
	coreBoolRE  = regexp.MustCompile(`^(?:true|True|TRUE|false|False|FALSE)$`)
	coreIntRE   = regexp.MustCompile(`^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	coreFloatRE = regexp.MustCompile(
		`^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`,
	)
)

// Version is the YAML whose scalars a file uses.
type Version int

// The versions. YAML11 is the zero value.
const (
	YAML11 Version = iota // as PyYAML resolves: yes is true, 12:30:45 is 45045
	YAML12                // the core schema: yes is a string
)

// resolve gives a plain scalar its kind and value.
func resolve(n *Node, v Version) error {
	s := n.Text
	if v == YAML12 {
		return resolveCore(n)
	}
	switch first := firstOf(s); {
	case s == "" || first == '~' || first == 'n' || first == 'N':
		if nullRE.MatchString(s) {
			n.Kind = Null
			return nil
		}
		return resolveBool(n)
	case strings.IndexByte("yYtTfFoO", first) >= 0:
		return resolveBool(n)
	case s == "=", s == "<<":
		return fmt.Errorf("a plain %s has no value in YAML 1.1; quote it", s)
	case strings.IndexByte("-+.0123456789", first) >= 0:
		return resolveNumber(n)
	}
	n.Kind = String
	return nil
}

func firstOf(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func resolveBool(n *Node) error {
	n.Kind = String
	if boolRE.MatchString(n.Text) {
		n.Kind, n.Bool = Bool, truth(n.Text)
	}
	return nil
}

func truth(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "on":
		return true
	}
	return false
}

func resolveNumber(n *Node) error {
	switch s := n.Text; {
	case floatRE.MatchString(s):
		return setFloat(n)
	case intRE.MatchString(s):
		return setInt(n)
	case dateRE.MatchString(s), timeRE.MatchString(s):
		return setTime(n)
	}
	n.Kind = String
	return nil
}

func resolveCore(n *Node) error {
	switch s := n.Text; {
	case nullRE.MatchString(s):
		n.Kind = Null
	case coreBoolRE.MatchString(s):
		n.Kind, n.Bool = Bool, truth(s)
	case coreIntRE.MatchString(s):
		digits, base := s, 10
		if len(s) > 2 && s[0] == '0' && (s[1] == 'o' || s[1] == 'x') {
			digits, base = s[2:], map[byte]int{'o': 8, 'x': 16}[s[1]]
		}
		return setBase(n, digits, base)
	case coreFloatRE.MatchString(s):
		f, err := parseFloat(s)
		n.Kind, n.Float = Float, f
		return err
	default:
		n.Kind = String
	}
	return nil
}

// tagged reads a scalar whose tag the author wrote.
func tagged(n *Node, tag string, v Version) error {
	switch tag {
	case "!!str":
		n.Kind = String
	case "!!null":
		n.Kind = Null
	case "!!bool":
		if !boolRE.MatchString(strings.ToLower(n.Text)) {
			return fmt.Errorf("%q is no boolean", clip(n.Text, maxFound))
		}
		n.Kind, n.Bool = Bool, truth(n.Text)
	case "!!int":
		if v == YAML12 {
			return setBase(n, n.Text, 10)
		}
		return setInt(n)
	case "!!float":
		return setFloat(n)
	case "!!timestamp":
		if !dateRE.MatchString(n.Text) && !timeRE.MatchString(n.Text) {
			return fmt.Errorf("%q is no timestamp", clip(n.Text, maxFound))
		}
		return setTime(n)
	case "!!binary":
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Text), ""))
		if err != nil {
			return fmt.Errorf("not base64")
		}
		n.Kind, n.Text = Binary, string(b)
	default:
		return fmt.Errorf("the tag %s is not known", clip(tag, maxFound))
	}
	return nil
}
