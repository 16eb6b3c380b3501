// Package format is the table of the result formats that a test definition may name by "parse:".
package format

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/testlog/gtest"
	"github.com/gantry-ci/gantry/runner/testlog/junit"
	"github.com/gantry-ci/gantry/runner/testlog/logline"
	"github.com/gantry-ci/gantry/runner/testlog/ltp"
	"github.com/gantry-ci/gantry/runner/testlog/tap"
)

// Parser reads one stream of lines, of a console or of a file.
type Parser interface {
	// Line reads a line, with or without its end, whose 1-based number is no. It returns the cases that are complete by
	// it, often none: some formats name a test only after its subtests, others are read as a whole. It does not keep line.
	Line(line []byte, no int) []jobs.Case
	// Close ends the stream. It returns the remaining cases, and those that the format says are missing.
	Close() []jobs.Case
}

// New is a parser of the format, whose cases are of the suite. It removes terminal escapes and carriage returns from the
// lines; what the kernel prints in between is passed over.
func New(name, suite string) (Parser, error) {
	parser, ok := table()[name]
	if !ok {
		return nil, fmt.Errorf("no test format is named %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return cleaned{parser(suite)}, nil
}

// Names are the formats, in order.
func Names() []string { return slices.Sorted(maps.Keys(table())) }

func table() map[string]func(suite string) Parser {
	return map[string]func(string) Parser{
		"tap":       func(s string) Parser { return tap.New(s) },
		"ktap":      func(s string) Parser { return tap.NewKernel(s) },
		"kunit":     func(s string) Parser { return tap.NewKernel(s) },
		"kselftest": func(s string) Parser { return tap.NewKernel(s) },
		"ltp":       func(s string) Parser { return ltp.New(s) },
		"junit":     func(s string) Parser { return junit.New(s) },
		"gtest":     func(s string) Parser { return gtest.New(s) },
	}
}

// cleaned is a parser of lines as a terminal shows them.
type cleaned struct{ Parser }

func (c cleaned) Line(line []byte, no int) []jobs.Case { return c.Parser.Line(logline.Clean(line), no) }
