package results_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/results"
)

func TestArrival(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 678901999, time.FixedZone("", 3600))
	var b []byte
	for i := range int64(5) {
		b = results.Arrival{Offset: 10 + i*i, Time: start.Add(time.Duration(i) * time.Second)}.Append(b)
	}
	if want := "0000000000000010 2026-01-02T02:04:05.678901Z\n"; !strings.HasPrefix(string(b), want) ||
		len(want) != results.ArrivalSize {
		t.Errorf("got %q, want %q", b, want)
	}
	for off, want := range map[int64]int{10: 0, 11: 1, 13: 1, 14: 2, 18: 2, 19: 3, 26: 4, 1 << 40: 4} {
		at, ok, err := results.ArrivalAt(bytes.NewReader(b), int64(len(b)), off)
		if late := at.Sub(start.Truncate(time.Microsecond)); err != nil || !ok || late != time.Duration(want)*time.Second {
			t.Errorf("byte %d: %s after the start, %t, error %v", off, late, ok, err)
		}
	}
	if _, ok, err := results.ArrivalAt(bytes.NewReader(b), int64(len(b)), 9); ok || err != nil {
		t.Errorf("before the first mark: %t, error %v", ok, err)
	}
	if _, ok, err := results.ArrivalAt(bytes.NewReader(nil), 0, 9); ok || err != nil {
		t.Errorf("without marks: %t, error %v", ok, err)
	}
	for name, bad := range map[string][]byte{
		"no mark": bytes.Repeat([]byte("x"), 5*results.ArrivalSize), "cut": b[:results.ArrivalSize/2],
		"no time": bytes.ReplaceAll(b, []byte("T"), []byte("t")),
	} {
		if _, ok, err := results.ArrivalAt(bytes.NewReader(bad), 5*int64(results.ArrivalSize), 12); ok || err == nil {
			t.Errorf("%s: %t, error %v", name, ok, err)
		}
	}
}
