package tap

import (
	"math"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// yamlLimit is the most lines a diagnostic block may have.
const yamlLimit = 1000

// yaml is TAP's diagnostic block, of which only the message and the duration are read.
type yaml struct {
	on     bool
	indent int
	keys   int // indent of the keys, which some tools indent once more; -1: not seen yet
	lines  int
	block  bool // the message is a block scalar
}

func (y *yaml) begin(indent int) { *y = yaml{on: true, indent: indent, keys: -1} }

// line reads a line of the block; false ends it.
func (y *yaml) line(s string, c *results.Case) bool {
	body := strings.TrimLeft(s, " ")
	indent := len(s) - len(body)
	if y.lines++; indent < y.indent && body != "" || y.lines > yamlLimit {
		return false
	}
	if body == "..." && indent == y.indent {
		y.on = false
		return true
	}
	if y.keys < 0 {
		y.keys = indent
	}
	if c == nil {
		return true
	}
	if y.block && (indent > y.keys || body == "") {
		if len(c.Message)+len(body) < results.MaxName {
			c.Message = strings.TrimSpace(c.Message + "\n" + results.Line(body))
		}
		return true
	}
	y.block = false
	key, value, _ := strings.Cut(body, ":")
	if value = strings.TrimSpace(value); indent != y.keys {
		return true
	}
	switch key {
	case "message", "error": // the specification's, and node's
		if y.block = strings.HasPrefix(value, "|") || strings.HasPrefix(value, ">"); !y.block && c.Message == "" {
			c.Message = results.Line(unquote(value))
		}
	case "duration_ms":
		if ms, err := strconv.ParseFloat(value, 64); err == nil && ms >= 0 && ms < 1e12 {
			s := math.Round(ms*1e6) / 1e9
			c.DurationS = &s
		}
	}
	return true
}

// unquote removes the quotes of a scalar.
func unquote(s string) string {
	if n := len(s) - 1; n > 0 && (s[0] == '"' || s[0] == '\'') && s[n] == s[0] {
		return s[1:n]
	}
	return s
}
