package lab

import (
	"strings"
	"testing"
)

func TestClip(t *testing.T) {
	if got := Clip("a\x00b\xff" + strings.Repeat("x", 2*maxMessage)); len(got) > maxMessage+10 ||
		!strings.HasPrefix(got, "a\ufffdb\ufffdx") {
		t.Errorf("%d bytes, %q", len(got), got[:10])
	}
}
