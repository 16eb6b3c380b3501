package lab

import (
	"strings"

	"github.com/gantry-ci/gantry/internal/plaintext"
)

// maxMessage bounds a message, in bytes.
const maxMessage = 64 << 10

// Clip makes a message fit for the wire and for storage: valid UTF-8 without NUL, of at most 64 KiB.
func Clip(s string) string {
	return plaintext.Clip(strings.ReplaceAll(s, "\x00", "\ufffd"), maxMessage)
}
