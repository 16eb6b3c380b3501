package kernlog

import (
	"regexp"
	"strings"
)

var (
	// prefaceRE is the end of what the kernel itself prints before the words of a report, or of what is left of a stamp.
	prefaceRE = regexp.MustCompile(
		`(?:^|[\s\]])(?:rcu|watchdog|traps|Oops|Internal error|INFO|PANIC|kernel):$|\[$|CPU \d+$|\d\]$|-{6}$|={6}$`,
	)
	// resultRE begins the line of a test's result.
	resultRE = regexp.MustCompile(`^(?:not )?ok \d+\b|^\S*: (?:T(?:PASS|FAIL|INFO|CONF|BROK|WARN)|PASS|FAIL):`)
)

// mentions reports whether a message only mentions a report, by the text before the report's words: a test prints the
// name of what it provokes, a shell echoes a command. A kernel that prints time stamps ends an unfinished line of
// somebody else's before it writes, so its words never follow other text without a stamp. One that prints none may
// write anywhere, and the text before decides.
func mentions(l line, before string, stamping bool) bool {
	before = strings.TrimSpace(before)
	if l.context != "" || before == "" || prefaceRE.MatchString(before) {
		return false
	}
	return stamping || strings.ContainsRune("'\"`|/(=", rune(before[len(before)-1])) || resultRE.MatchString(before)
}
