package results

import (
	"regexp"
	"strings"
)

// MaxConsoles is how many consoles beside the first one an attempt may record.
const MaxConsoles = 8

// consoleName is what a console may be called: its record's files are named after it.
var consoleName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// ValidConsole reports whether a console beside the first one, which has no name, may have this name.
func ValidConsole(name string) bool { return consoleName.MatchString(name) }

// EventsFile is the file of a run's events, an Event a line, in a run's folder.
const EventsFile = "events.jsonl"

const (
	consoleFile = "console"
	logSuffix   = ".log"
	timesSuffix = ".times"
)

// ConsoleLog is the file of a console's bytes, in a run's folder; the first console's, which has no name, is
// console.log.
func ConsoleLog(name string) string { return consoleBase(name) + logSuffix }

// ConsoleTimes is the file that says when they came, an Arrival a line.
func ConsoleTimes(name string) string { return consoleBase(name) + timesSuffix }

// CopiesFile is the file of the results that a target sent beside a console, as they came.
func CopiesFile(name string) string {
	if name == "" {
		return "results.dev"
	}
	return "results-" + name + ".dev"
}

func consoleBase(name string) string {
	if name == "" {
		return consoleFile
	}
	return consoleFile + "-" + name
}

// ConsoleOf is the name of the console whose log is called log; "" is the first one's, and so is "console.log". It
// reports false for what is no console's log.
func ConsoleOf(log string) (name string, ok bool) {
	if log == "" || log == ConsoleLog("") {
		return "", true
	}
	name, ok = strings.CutPrefix(strings.TrimSuffix(log, logSuffix), consoleFile+"-")
	if ok = ok && ValidConsole(name) && ConsoleLog(name) == log; !ok {
		return "", false
	}
	return name, true
}

// LogOf is what results say of the log of a console: its file, or "" for console.log.
func LogOf(console string) string {
	if console == "" {
		return ""
	}
	return ConsoleLog(console)
}

// logName is the file that results call log.
func logName(log string) string {
	if log == "" {
		return ConsoleLog("")
	}
	return log
}

// LogName is the file in which the case's line is.
func (c Case) LogName() string { return logName(c.Log) }

// LogName is the file in which the finding's line is.
func (f Finding) LogName() string { return logName(f.File) }
