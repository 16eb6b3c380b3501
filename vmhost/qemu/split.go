package qemu

import (
	"errors"
	"slices"
	"strings"
)

var (
	errQuote  = errors.New("a quotation is not closed")
	errEscape = errors.New("it ends in a backslash")
)

// split cuts s into words as a POSIX shell does, and as LAVA does with its command line: quotes and backslashes, no
// variables, no globs.
func split(s string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  byte
	)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(s) {
				return nil, errEscape
			}
			if quote == '"' && s[i] != '"' && s[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(s[i])
			inWord = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case strings.IndexByte(" \t\r\n", c) >= 0:
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errQuote
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// props is the comma-separated part of an option: file=x,format=raw. A comma in a value is written twice.
type props []prop

type prop struct {
	key, value string
	bare       bool // no "=": a switch such as readonly, or the implied first key
}

// parseProps never fails: what makes no sense gets a key nobody allows.
func parseProps(s string) props {
	var (
		list props
		cur  strings.Builder
	)
	flush := func() {
		key, value, ok := strings.Cut(cur.String(), "=")
		list = append(list, prop{key: key, value: value, bare: !ok})
		cur.Reset()
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != ',':
			cur.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == ',':
			cur.WriteByte(',')
			i++
		default:
			flush()
		}
	}
	flush()
	return list
}

func (l props) String() string {
	parts := make([]string, len(l))
	for i, p := range l {
		parts[i] = strings.ReplaceAll(p.key, ",", ",,")
		if !p.bare {
			parts[i] += "=" + strings.ReplaceAll(p.value, ",", ",,")
		}
	}
	return strings.Join(parts, ",")
}

// get is the value of the last key of that name, as in QEMU.
func (l props) get(key string) (string, bool) {
	for _, p := range slices.Backward(l) {
		if p.key == key {
			return p.value, true
		}
	}
	return "", false
}

// explicit gives a first property without a key the implied one: the model of a -device, the type of a -machine.
func (l props) explicit(implied string) props {
	if implied == "" || len(l) == 0 || !l[0].bare {
		return l
	}
	return append(props{{key: implied, value: l[0].key}}, l[1:]...)
}

// without is l less the keys named.
func (l props) without(keys ...string) props {
	var kept props
next:
	for _, p := range l {
		for _, k := range keys {
			if p.key == k {
				continue next
			}
		}
		kept = append(kept, p)
	}
	return kept
}
