package results

import "regexp"

// consoleName is what a console may be called: its record's files are named after it.
var consoleName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// ValidConsole reports whether a console may have this name. The first console has none.
func ValidConsole(name string) bool { return consoleName.MatchString(name) }

// ConsoleLog is the file of a console's bytes, in a run's folder; the first console's, which has no name, is
// console.log.
func ConsoleLog(name string) string { return consoleFile(name) + ".log" }

// ConsoleTimes is the file that says when they came, an Arrival a line.
func ConsoleTimes(name string) string { return consoleFile(name) + ".times" }

func consoleFile(name string) string {
	if name == "" {
		return "console"
	}
	return "console-" + name
}
