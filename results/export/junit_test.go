package export_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/export"
)

func folded(cases ...results.Case) *results.Results {
	r := results.NewResults()
	r.Job, r.Device, r.Cases = "smoke", "qemu-1", cases
	r.Started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Finished = r.Started.Add(90 * time.Second)
	r.Verdict = results.Decide(nil, cases)
	return r
}

// TestJUnitTries has a step fail and succeed when it was tried again, and another fail for good.
func TestJUnitTries(t *testing.T) {
	r := folded(
		results.Case{Suite: "lava", Case: "login", Result: results.Fail, Message: "no prompt"},
		results.Case{Suite: "lava", Case: "login", Result: results.Pass},
		results.Case{Suite: "0_smoke", Case: "ping", Result: results.Fail},
		results.Case{Suite: "0_smoke", Case: "ping", Result: results.Pass},
		results.Case{Suite: "lava", Case: "test", Result: results.Fail},
	)
	var b bytes.Buffer
	if err := export.JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<testsuite name="lava" tests="3" failures="1" errors="0" skipped="1"`, `<skipped message="tried again: no prompt">`,
		`<testsuite name="0_smoke" tests="2" failures="1"`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in %s", want, b.String())
		}
	}
}

func TestJUnit(t *testing.T) {
	set, units, value, took, line := "net", "ms", 1.5, 0.25, 561
	r := folded(
		results.Case{Suite: "lava", Case: "login", Result: results.Pass},
		results.Case{
			Suite: "0_smoke", Case: "ping", Set: &set, Result: results.Pass, Measurement: &value, Units: &units,
			DurationS: &took, LogLine: &line,
		},
		results.Case{Suite: "0_smoke", Case: "a<b>\x00", Result: results.Fail, Message: "]]> & \x1b[0m"},
		results.Case{Suite: "0_smoke", Case: "usb", Result: results.Skip},
		results.Case{Suite: "1_more", Case: "x", Result: results.Unknown, Note: "unsequenced"},
	)
	var b bytes.Buffer
	if err := export.JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="smoke" tests="6" failures="1" errors="1" skipped="1" time="90.000" timestamp="2026-01-02T03:04:05Z">
  <testsuite name="lava" tests="1" failures="0" errors="0" skipped="0" timestamp="2026-01-02T03:04:05Z" hostname="qemu-1">
    <testcase name="login" classname="lava"></testcase>
  </testsuite>
  <testsuite name="0_smoke" tests="3" failures="1" errors="0" skipped="1" time="0.250" timestamp="2026-01-02T03:04:05Z" hostname="qemu-1">
    <testcase name="ping" classname="0_smoke.net" time="0.250" file="console.log" line="561">
      <properties>
        <property name="measurement" value="1.5"></property>
        <property name="units" value="ms"></property>
      </properties>
    </testcase>
    <testcase name="a&lt;b&gt;�" classname="0_smoke">
      <failure message="]]&gt; &amp; �[0m"></failure>
    </testcase>
    <testcase name="usb" classname="0_smoke">
      <skipped></skipped>
    </testcase>
  </testsuite>
  <testsuite name="1_more" tests="1" failures="0" errors="1" skipped="0" timestamp="2026-01-02T03:04:05Z" hostname="qemu-1">
    <testcase name="x" classname="1_more">
      <properties>
        <property name="note" value="unsequenced"></property>
      </properties>
      <error type="unknown"></error>
    </testcase>
  </testsuite>
  <testsuite name="gantry" tests="1" failures="0" errors="0" skipped="0" timestamp="2026-01-02T03:04:05Z" hostname="qemu-1">
    <testcase name="verdict" classname="gantry"></testcase>
  </testsuite>
</testsuites>
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// TestJUnitNeverGreen writes runs that ended badly with no failed case.
func TestJUnitNeverGreen(t *testing.T) {
	pass := results.Case{Suite: "0_smoke", Case: "ok", Result: results.Pass}
	for name, r := range map[string]*results.Results{
		"missing": folded(pass, results.Case{Suite: "0_smoke", Case: "late", Result: results.Missing}),
		"no boot": func() *results.Results {
			r := folded(pass)
			r.Verdict = results.Decide(results.Failf(results.ClassJob, "no boot"), nil)
			return r
		}(),
		"panic": func() *results.Results {
			r := folded(pass)
			r.Verdict = results.Decide(results.Failf(results.ClassTest, "panic"), nil)
			return r
		}(),
		"serial": func() *results.Results {
			r := folded(pass)
			r.Verdict = results.Decide(errors.New("bug"), nil)
			return r
		}(),
		"no cases": results.NewResults(),
	} {
		var b bytes.Buffer
		if err := export.JUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
		}
		if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Failures+got.Errors == 0 {
			t.Errorf("%s: green\n%s", name, b.String())
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestJUnitError(t *testing.T) {
	if err := export.JUnit(full{}, folded()); !errors.Is(err, io.ErrShortWrite) ||
		!strings.Contains(err.Error(), "write JUnit XML") {
		t.Errorf("error %v", err)
	}
}
