package checks

import (
	"fmt"
	"net/url"

	"github.com/gantry-ci/gantry/results"
)

// Line is a line of one of the consoles of a run.
type Line struct {
	RunID string
	Log   string // as in results: "" is console.log
	Line  int    // from 1
}

// ConsolePath is the path of a console's page: all of it, as text. The first console's name is "".
func ConsolePath(runID, console string) string {
	path := "/runs/" + url.PathEscape(runID)
	if console == "" {
		return path + "/console"
	}
	return path + "/consoles/" + url.PathEscape(console)
}

// CopiesPath is the path of the results that were sent beside a console.
func CopiesPath(runID, console string) string {
	if console == "" {
		return "/runs/" + url.PathEscape(runID) + "/results.dev"
	}
	return ConsolePath(runID, console) + "/results.dev"
}

// Path is the path of the line's page; "" if a run cannot have such a log.
func (l Line) Path() string {
	name, ok := results.ConsoleOf(l.Log)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s/%d#L%d", ConsolePath(l.RunID, name), l.Line, l.Line)
}

// String is the line in a sentence: "console line 7", or "console uart1, line 7".
func (l Line) String() string {
	switch name, ok := results.ConsoleOf(l.Log); {
	case !ok:
		return fmt.Sprintf("line %d of an unknown log", l.Line)
	case name == "":
		return fmt.Sprintf("console line %d", l.Line)
	default:
		return fmt.Sprintf("console %s, line %d", name, l.Line)
	}
}

// Short is the line in a column of lines: "7", or "uart1:7".
func (l Line) Short() string {
	switch name, ok := results.ConsoleOf(l.Log); {
	case !ok:
		return ""
	case name == "":
		return fmt.Sprint(l.Line)
	default:
		return fmt.Sprintf("%s:%d", name, l.Line)
	}
}
