package kernlog

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/gantry-ci/gantry/results"
)

// Classify reads a whole console log and returns what was found, by line.
func Classify(r io.Reader) ([]results.Finding, error) {
	found := []results.Finding{}
	s := New(Options{Found: func(f results.Finding) { found = append(found, f) }})
	if _, err := io.Copy(s, r); err != nil {
		return nil, fmt.Errorf("read console log: %w", err)
	}
	s.Flush()
	slices.SortStableFunc(found, func(a, b results.Finding) int { return cmp.Compare(a.Line, b.Line) })
	return found, nil
}
