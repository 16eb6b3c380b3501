package qemuarg

import (
	"slices"
	"strings"
)

// Props is the comma-separated part of an option: file=x,format=raw. A comma in a value is written twice.
type Props []Prop

// Prop is one property of a list.
type Prop struct {
	Key, Value string
	Bare       bool // no "=": a switch such as readonly, or the value of the implied first key
}

// ParseProps never fails: what makes no sense gets a key that nobody knows.
func ParseProps(s string) Props {
	var (
		list Props
		cur  strings.Builder
	)
	flush := func() {
		key, value, ok := strings.Cut(cur.String(), "=")
		list = append(list, Prop{Key: key, Value: value, Bare: !ok})
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

// String writes the list as QEMU reads it.
func (l Props) String() string {
	parts := make([]string, len(l))
	for i, p := range l {
		parts[i] = strings.ReplaceAll(p.Key, ",", ",,")
		if !p.Bare {
			parts[i] += "=" + strings.ReplaceAll(p.Value, ",", ",,")
		}
	}
	return strings.Join(parts, ",")
}

// Get is the value of the last key of that name, as in QEMU.
func (l Props) Get(key string) (string, bool) {
	for _, p := range slices.Backward(l) {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

// Explicit gives a first property without a key the implied one: the model of a -device, the type of a -machine.
func (l Props) Explicit(implied string) Props {
	if implied == "" || len(l) == 0 || !l[0].Bare {
		return l
	}
	return append(Props{{Key: implied, Value: l[0].Key}}, l[1:]...)
}

// Without is the list less the keys named.
func (l Props) Without(keys ...string) Props {
	return slices.DeleteFunc(slices.Clone(l), func(p Prop) bool { return slices.Contains(keys, p.Key) })
}

// ReadOnly says whether a drive of these properties is left as it is.
func (l Props) ReadOnly() bool {
	for _, p := range l {
		switch p.Key {
		case "readonly", "read-only", "snapshot":
			if p.Bare || p.Value == "on" {
				return true
			}
		case "media":
			if p.Value == "cdrom" {
				return true
			}
		}
	}
	return false
}
