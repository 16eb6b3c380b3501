package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// mapping makes a YAML mapping of keys and nodes, in their order.
func mapping(pairs ...any) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(pairs); i += 2 {
		add(m, pairs[i].(string), pairs[i+1].(*yaml.Node))
	}
	return m
}

func add(m *yaml.Node, key string, v *yaml.Node) { m.Content = append(m.Content, text(key), v) }

func sequence(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

// plainRE is what every YAML reads as a string without quotes, but for words that mean something.
var (
	plainRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)
	wordsRE = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

// text makes a string that YAML 1.1 and 1.2 read alike.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	switch {
	case plainRE.MatchString(s) && !wordsRE.MatchString(s):
		n.Style = 0
	case strings.Contains(s, "\n") && literal(s):
		n.Style = yaml.LiteralStyle
	}
	return n
}

// literal says that a block scalar keeps s as it is.
func literal(s string) bool {
	return strings.HasSuffix(s, "\n") && !strings.HasSuffix(s, "\n\n") && !strings.ContainsAny(s[:1], " \t\n") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && r < 0x20 || r >= 0x7f })
}

func texts(list []string) []*yaml.Node {
	out := make([]*yaml.Node, len(list))
	for i, s := range list {
		out[i] = text(s)
	}
	return out
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

func flag(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

// seconds makes a timeout of LAVA's.
func seconds(d time.Duration) *yaml.Node {
	return mapping("seconds", number(max(1, int(d/time.Second))))
}
