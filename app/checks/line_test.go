package checks

import "testing"

// TestLine covers lines of every log that results can name, and of one that they cannot.
func TestLine(t *testing.T) {
	for log, want := range map[string][3]string{
		"":                  {"/runs/id/console/7#L7", "console line 7", "7"},
		"console.log":       {"/runs/id/console/7#L7", "console line 7", "7"},
		"console-uart1.log": {"/runs/id/consoles/uart1/7#L7", "console uart1, line 7", "uart1:7"},
		"console-../x.log":  {"", "line 7 of an unknown log", ""},
		"results.json":      {"", "line 7 of an unknown log", ""},
	} {
		l := Line{RunID: "id", Log: log, Line: 7}
		if got := [3]string{l.Path(), l.String(), l.Short()}; got != want {
			t.Errorf("%q: got %q, want %q", log, got, want)
		}
	}
}
