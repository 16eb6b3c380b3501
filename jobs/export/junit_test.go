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

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/export"
)

func folded(cases ...jobs.Case) *jobs.Results {
	r := jobs.NewResults()
	r.Job, r.Device, r.Cases = "smoke", "qemu-1", cases
	r.Started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Finished = r.Started.Add(90 * time.Second)
	r.Verdict = jobs.Decide(nil, cases)
	return r
}

// TestJUnitTries has a step fail and succeed when it was tried again, and another fail for good.
func TestJUnitTries(t *testing.T) {
	r := folded(
		jobs.Case{Suite: "lava", Case: "login", Result: jobs.Fail, Message: "no prompt"},
		jobs.Case{Suite: "lava", Case: "login", Result: jobs.Pass},
		jobs.Case{Suite: "0_smoke", Case: "ping", Result: jobs.Fail},
		jobs.Case{Suite: "0_smoke", Case: "ping", Result: jobs.Pass},
		jobs.Case{Suite: "lava", Case: "test", Result: jobs.Fail},
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
		jobs.Case{Suite: "lava", Case: "login", Result: jobs.Pass},
		jobs.Case{Suite: "0_smoke", Case: "ping", Set: &set, Result: jobs.Pass, Measurement: &value, Units: &units, DurationS: &took, LogLine: &line},
		jobs.Case{Suite: "0_smoke", Case: "a<b>\x00", Result: jobs.Fail, Message: "]]> & \x1b[0m"},
		jobs.Case{Suite: "0_smoke", Case: "usb", Result: jobs.Skip},
		jobs.Case{Suite: "1_more", Case: "x", Result: jobs.Unknown, Note: "unsequenced"},
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
	pass := jobs.Case{Suite: "0_smoke", Case: "ok", Result: jobs.Pass}
	for name, r := range map[string]*jobs.Results{
		"missing": folded(pass, jobs.Case{Suite: "0_smoke", Case: "late", Result: jobs.Missing}),
		"no boot": func() *jobs.Results {
			r := folded(pass)
			r.Verdict = jobs.Decide(jobs.Failf(jobs.ClassJob, "no boot"), nil)
			return r
		}(),
		"panic": func() *jobs.Results {
			r := folded(pass)
			r.Verdict = jobs.Decide(jobs.Failf(jobs.ClassTest, "panic"), nil)
			return r
		}(),
		"serial":   func() *jobs.Results { r := folded(pass); r.Verdict = jobs.Decide(errors.New("bug"), nil); return r }(),
		"no cases": jobs.NewResults(),
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
	if err := export.JUnit(full{}, folded()); !errors.Is(err, io.ErrShortWrite) || !strings.Contains(err.Error(), "write JUnit XML") {
		t.Errorf("error %v", err)
	}
}
