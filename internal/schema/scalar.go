package schema

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scalar makes a Type of a test and a store.
func scalar(expected string, json func() map[string]any, store func(n *Node) bool) Type {
	return Type{
		read: func(_ *decoder, n *Node, at *path) []issue {
			if store(n) {
				return nil
			}
			return mismatch(n, at, expected)
		},
		json:     json,
		expected: expected,
	}
}

// Text is a string.
func Text(dst *string) Type {
	return scalar("a string", withDefault("string", dst), func(n *Node) bool {
		if n.Kind == String {
			*dst = n.Text
		}
		return n.Kind == String
	})
}

// Some is a string that is not empty.
func Some(dst *string) Type { return Limited(dst, 1, math.MaxInt) }

// Limited is a string of low to high runes.
func Limited(dst *string, low, high int) Type {
	expected, json := "a string of "+strconv.Itoa(low)+" to "+strconv.Itoa(high)+" characters", fixed(
		"type", "string", "minLength", low, "maxLength", high,
	)
	if high == math.MaxInt {
		expected, json = "a string that is not empty", fixed("type", "string", "minLength", low)
	}
	return scalar(expected, json, func(n *Node) bool {
		size := utf8.RuneCountInString(n.Text)
		ok := n.Kind == String && size >= low && size <= high
		if ok {
			*dst = n.Text
		}
		return ok
	})
}

// Matching is a string that re matches; what says so in words.
func Matching(dst *string, re *regexp.Regexp, what string) Type {
	return scalar(what, fixed("type", "string", "pattern", re.String()), func(n *Node) bool {
		ok := n.Kind == String && re.MatchString(n.Text)
		if ok {
			*dst = n.Text
		}
		return ok
	})
}

// Except is a string other than the reserved ones.
func Except(dst *string, reserved ...string) Type {
	t := Text(dst)
	return Type{
		read: func(d *decoder, n *Node, at *path) []issue {
			for _, r := range reserved {
				if n.Kind == String && n.Text == r {
					return []issue{
						{
							at: at, node: n, message: fmt.Sprintf("%q is reserved", r), found: n.describe(),
							expected: "another name than " + strings.Join(reserved, ", "),
						},
					}
				}
			}
			return t.read(d, n, at)
		},
		json: func() map[string]any {
			return map[string]any{"type": "string", "not": map[string]any{"enum": reserved}}
		},
		expected: "a string",
	}
}

// Flag is true or false.
func Flag(dst *bool) Type {
	return scalar("true or false", withDefault("boolean", dst), func(n *Node) bool {
		if n.Kind == Bool {
			*dst = n.Bool
		}
		return n.Kind == Bool
	})
}

// Integer is a whole number; as in Python, true is 1.
func Integer(dst *int) Type {
	json := func() map[string]any {
		m := withDefault("integer", dst)()
		m["type"] = []string{"integer", "boolean"}
		if *dst < 0 { // stands for "not there"
			delete(m, "default")
		}
		return m
	}
	return scalar("an integer", json, func(n *Node) bool {
		switch {
		case n.Kind == Bool:
			*dst = int(truthInt(n.Bool))
		case n.Kind == Int && n.Big == nil:
			*dst = int(n.Int)
		case n.Kind == Int:
			*dst = math.MaxInt
		default:
			return false
		}
		return true
	})
}

func truthInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Number is a number from low to high; as in Python, true is 1.
func Number[T ~int | ~int64 | ~float64](dst *T, low, high float64) Type {
	expected := "a number from " + short(low) + " to " + short(high)
	switch {
	case math.IsInf(high, 1):
		expected = "a number, at least " + short(low)
	case math.IsInf(low, -1):
		expected = "a number, at most " + short(high)
	}
	json := func() map[string]any {
		m := withDefault("number", dst)()
		if float64(*dst) < low { // stands for "not there"
			delete(m, "default")
		}
		if !math.IsInf(low, -1) {
			m["minimum"] = low
		}
		if !math.IsInf(high, 1) {
			m["maximum"] = high
		}
		return m
	}
	return scalar(expected, json, func(n *Node) bool {
		v := n.Float
		if n.Kind == Bool {
			v = float64(truthInt(n.Bool))
		}
		ok := (n.Kind == Bool || n.Kind == Int || n.Kind == Float) && v >= low && v <= high
		if ok {
			*dst = convert[T](v)
		}
		return ok
	})
}

func short(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// convert saturates; a plain conversion of what does not fit is undefined.
func convert[T ~int | ~int64 | ~float64](v float64) T {
	if _, whole := any(*new(T)).(float64); !whole && v >= math.MaxInt64 {
		return T(math.MaxInt32)
	}
	return T(v)
}

// OneOf is one of some strings.
func OneOf(dst *string, names ...string) Type {
	expected := "one of " + strings.Join(names, ", ")
	if len(names) == 1 {
		expected = names[0]
	}
	return Type{
		read: func(_ *decoder, n *Node, at *path) []issue {
			if n.Kind == String && slices.Contains(names, n.Text) {
				*dst = n.Text
				return nil
			}
			return []issue{{at: at, node: n, expected: expected, names: names}}
		},
		json: func() map[string]any {
			m := map[string]any{"enum": names}
			if *dst != "" {
				m["default"] = *dst
			}
			return m
		},
		expected: expected,
	}
}

// Exactly is null, which a key may hold to say "nothing".
func Exactly() Type {
	return scalar("null", fixed("type", "null"), func(n *Node) bool { return n.Kind == Null })
}

// Anything takes any value; dst may be nil.
func Anything(dst **Node) Type {
	return scalar("anything", fixed(), func(n *Node) bool {
		if dst != nil {
			*dst = n
		}
		return true
	})
}

// Mapping is any mapping, kept as it is; dst may be nil.
func Mapping(dst **Node) Type {
	return scalar("a mapping", fixed("type", "object"), func(n *Node) bool {
		if n.Kind == Map && dst != nil {
			*dst = n
		}
		return n.Kind == Map
	})
}

// Parsed is a scalar, in the text the file has, that parse turns into a value. The error's text is what was expected.
func Parsed[T any](dst *T, expected string, parse func(s string) (T, error)) Type {
	return Type{
		read: func(_ *decoder, n *Node, at *path) []issue {
			if n.Kind == List || n.Kind == Map || n.Kind == Null {
				return mismatch(n, at, expected)
			}
			v, err := parse(n.Text)
			if err != nil {
				out := mismatch(n, at, expected)
				out[0].message, out[0].specific = err.Error(), true
				return out
			}
			*dst = v
			return nil
		},
		json:     func() map[string]any { return map[string]any{"type": []string{"string", "number", "boolean"}} },
		expected: expected,
	}
}
