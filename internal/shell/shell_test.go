package shell

import (
	"os/exec"
	"testing"
)

// TestQuote asks a real shell what a quoted word is.
func TestQuote(t *testing.T) {
	for _, word := range []string{
		"", "plain", "two words", "it's", "''", `a"b`, `\`, "$HOME `id` $(id)", "a\nb", "*?[a]", "~", "-n", "caf\u00e9", "#",
	} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+Quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q is %q: %v", word, out, err)
		}
	}
}
