package lab

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/results"
)

// Stream is the name of an append-only record of an attempt: one of those below, or one of a further console, which has
// that console's name after a "-": "console-uart1".
type Stream string

// The streams of every attempt. Console and Times are those of the first console.
const (
	Console Stream = "console" // the target's raw bytes
	Times   Stream = "times"   // when they arrived
	Events  Stream = "events"  // events.jsonl
	Copies  Stream = "copies"  // results that the target sent beside the console
)

// Streams are the streams of every attempt, in the order in which they are uploaded.
func Streams() []Stream { return []Stream{Console, Times, Events, Copies} }

// ConsoleStreams are the streams of a console, in the order in which they are uploaded; the first console's name is "".
func ConsoleStreams(console string) []Stream {
	return []Stream{Console.of(console), Times.of(console), Copies.of(console)}
}

// ConsoleStream is the stream of a console's bytes.
func ConsoleStream(console string) Stream { return Console.of(console) }

// TimesStream is the stream that says when a console's bytes arrived.
func TimesStream(console string) Stream { return Times.of(console) }

// CopiesStream is the stream of the results that the target sent beside a console.
func CopiesStream(console string) Stream { return Copies.of(console) }

// of is the stream of a console that is like s.
func (s Stream) of(console string) Stream {
	if console == "" {
		return s
	}
	return s + "-" + Stream(console)
}

// Kind is Console for the bytes of any console, Times for the times of any, Copies for the copies beside any, and s
// itself for any other stream.
func (s Stream) Kind() Stream {
	for _, kind := range ConsoleStreams("") {
		if strings.HasPrefix(string(s), string(kind)+"-") {
			return kind
		}
	}
	return s
}

// Further is the name of the further console to which the stream belongs; "" for a stream of every attempt.
func (s Stream) Further() string {
	if s.Kind() == s {
		return ""
	}
	return strings.TrimPrefix(string(s), string(s.Kind())+"-")
}

// Known reports whether s is a stream that an attempt may have.
func (s Stream) Known() bool {
	return slices.Contains(Streams(), s) || s.Kind() != s && results.ValidConsole(s.Further())
}

// File is the name of the stream's file, in a runner's run directory as in the app's store.
func (s Stream) File() string {
	switch s.Kind() {
	case Events:
		return results.EventsFile
	case Times:
		return results.ConsoleTimes(s.Further())
	case Copies:
		return results.CopiesFile(s.Further())
	}
	return results.ConsoleLog(s.Further())
}

// FurtherStreams are the streams of the further consoles that have a log among these files, ordered by name. Of more
// consoles than an attempt may have, the last ones are left out.
func FurtherStreams(files []string) (all []Stream) {
	var names []string
	for _, f := range files {
		if name, ok := results.ConsoleOf(f); ok && name != "" {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, cmp.Compare)
	for _, name := range names[:min(len(names), results.MaxConsoles)] {
		all = append(all, ConsoleStreams(name)...)
	}
	return all
}
