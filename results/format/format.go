// Package format is the table of the result formats that a test definition may name by "parse:".
package format

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/terminal"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/gtest"
	"github.com/gantry-ci/gantry/results/junit"
	"github.com/gantry-ci/gantry/results/ltp"
	"github.com/gantry-ci/gantry/results/tap"
)

// Parser reads one stream of lines, of a console or of a file.
type Parser interface {
	// Line reads a line, with or without its end, whose 1-based number is no. It returns the cases that are complete by
	// it, often none: some formats name a test only after its subtests, others are read as a whole. It does not keep line.
	Line(line []byte, no int) []results.Case
	// Close ends the stream. It returns the remaining cases, and those that the format says are missing.
	Close() []results.Case
}

// New is a parser of the format, whose cases are of the suite. It removes terminal escapes and carriage returns from
// the lines. What the kernel prints in between is ignored.
func New(name, suite string) (Parser, error) {
	parser, ok := table()[name]
	if !ok {
		return nil, fmt.Errorf("no test format is named %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return cleaned{parser(suite), map[string]int{}}, nil
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

// maxNames bounds how many names are remembered; no format gives as many cases.
const maxNames = 200_000

// cleaned is a parser of lines as a terminal shows them, whose cases have names of their own: what is run twice, or
// named like another, is "name (2)".
type cleaned struct {
	Parser
	names map[string]int
}

func (c cleaned) Line(line []byte, no int) []results.Case {
	return c.distinct(c.Parser.Line(terminal.Strip(line), no))
}

func (c cleaned) Close() []results.Case { return c.distinct(c.Parser.Close()) }

func (c cleaned) distinct(cases []results.Case) []results.Case {
	for i := range cases {
		set := ""
		if cases[i].Set != nil {
			set = *cases[i].Set
		}
		cases[i].Case = c.name(set+"\x00", cases[i].Case)
	}
	return cases
}

// name is the name that a case gets; a name's value is the last number given to its namesakes.
func (c cleaned) name(set, name string) string {
	n, taken := c.names[set+name]
	if !taken || len(c.names) >= maxNames {
		c.names[set+name] = 1
		return name
	}
	for {
		n++
		next := fmt.Sprintf("%s (%d)", name, n)
		if _, taken := c.names[set+next]; !taken {
			c.names[set+name], c.names[set+next] = n, 1
			return next
		}
	}
}

// FileLines are the lines between which a target prints a file of results.
func FileLines(file string) (begin, end string) {
	return "-----BEGIN RESULTS " + file + "-----", "-----END RESULTS " + file + "-----"
}
