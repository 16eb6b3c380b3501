package kernlog

import (
	"regexp"
	"strings"
)

var (
	// prefaceRE is the end of what the kernel itself puts before the words of a report, or of what is left of a stamp.
	prefaceRE = regexp.MustCompile(
		`(?:^|[\s\]])(?:rcu|watchdog|traps|Oops|Internal error|INFO|PANIC|kernel):$|\[$|CPU \d+$|\d\]$|-{6}$|={6}$`,
	)
	// verdictRE begins the line of a test's result.
	verdictRE = regexp.MustCompile(`^(?:not )?ok \d+\b|^\S*: (?:T(?:PASS|FAIL|INFO|CONF|BROK|WARN)|PASS|FAIL):`)
)

// quoted tells whether the words behind before are somebody's prose about a report, and none: a test names what it
// looks for, the shell echoes it. The kernel ends an unfinished line only if it prints stamps, so a line without one
// may be both; but where it does print them, what stands behind other text without one is not its own.
func quoted(l line, before string, stamping bool) bool {
	before = strings.TrimSpace(before)
	if l.context != "" || before == "" || prefaceRE.MatchString(before) {
		return false
	}
	return stamping || strings.ContainsRune("'\"`|/(=", rune(before[len(before)-1])) || verdictRE.MatchString(before)
}
