package kvm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"
)

// The probe must answer in time and say why; what it answers depends on the host.
func TestProbe(t *testing.T) {
	start := time.Now()
	r := Probe(t.Context())
	if took := time.Since(start); took > limit+grace+time.Second {
		t.Errorf("took %v", took)
	}
	t.Logf("%+v", r)
	if r.Evidence == "" || r.ElapsedMS <= 0 {
		t.Errorf("no evidence: %+v", r)
	}
	if r.Usable() != (r.Verdict == HW) {
		t.Errorf("usable: %v for %q", r.Usable(), r.Verdict)
	}
	if _, err := os.Stat("/dev/kvm"); errors.Is(err, fs.ErrNotExist) && r.Verdict != None {
		t.Errorf("%q without /dev/kvm", r.Verdict)
	}
}

// An ended context is an answer at once, and never "usable".
func TestProbeCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("changed my mind"))
	r := Probe(ctx)
	if r.Usable() && !strings.Contains(r.Evidence, "64-bit guest") {
		t.Errorf("got %+v", r)
	}
	if r.ElapsedMS > float64((grace + 500*time.Millisecond).Milliseconds()) {
		t.Errorf("took %v ms", r.ElapsedMS)
	}
}

func TestUsableZero(t *testing.T) {
	if (Result{}).Usable() {
		t.Error("no verdict is usable")
	}
}
