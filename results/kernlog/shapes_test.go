package kernlog_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShapes holds the shapes of reports, by architecture and kind, in the way and with the prefixes that consoles show
// them, and what looks like a report and is none. In testdata/shapes.txt a line "=== name | findings" begins each log.
func TestShapes(t *testing.T) {
	raw, err := os.ReadFile("testdata/shapes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(strings.TrimPrefix(string(raw), "=== "), "\n=== ") {
		head, log, ok := strings.Cut(block, "\n")
		name, want, two := strings.Cut(head, " |")
		if !ok || !two {
			t.Fatalf("%q is no heading", head)
		}
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimSpace(want), strings.Join(brief(scan(log+"\n")), "; ")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
