package printk

import (
	"bytes"
	"strings"
)

// Stamped says that a line is the kernel's from its beginning.
func Stamped(line string) bool {
	if line == "" || line[0] != '[' && line[0] != '<' {
		return false
	}
	p, ok := Message([]byte(line))
	return ok && p.Start == 0
}

// Interrupted returns what stands before a message of the kernel in the middle of a line. Without such a message it is
// the whole line, and false.
func Interrupted(line string) (head string, ok bool) {
	if strings.IndexByte(line, '[') < 1 {
		return line, false
	}
	p, ok := Message([]byte(line))
	if !ok || p.Start == 0 {
		return line, false
	}
	return line[:p.Start], true
}

// Uninterrupted is a text without what the kernel printed into it on a console, with the numbers of its lines; nothing
// if there is no such message. numbers has one entry for each line of text.
func Uninterrupted(text []byte, numbers []int) ([]byte, []int) {
	var out []byte
	var left []int
	found, within := false, false
	no := 0
	for line := range bytes.Lines(text) {
		s := string(line)
		head, ok := Interrupted(s)
		switch {
		case Stamped(s):
			found = true
		case ok:
			if out, found = append(out, head...), true; !within {
				left = append(left, numbers[no])
			}
			within = true
		default:
			if out = append(out, line...); !within {
				left = append(left, numbers[no])
			}
			within = false
		}
		no++
	}
	if !found {
		return nil, nil
	}
	return out, left
}
