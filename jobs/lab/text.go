package lab

import "strings"

// maxMessage bounds a message, in bytes.
const maxMessage = 64 << 10

// Clip makes a message fit for the wire and for storage: valid UTF-8 without NUL, of bounded length.
func Clip(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage] + "…"
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\ufffd"), "\ufffd")
}
