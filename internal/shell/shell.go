// Package shell writes and reads words of POSIX shells.
package shell

import "strings"

// Quote is s as one word that a shell takes literally, whatever s holds.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
