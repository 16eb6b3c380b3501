package format

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// show reads text in a format and writes each case as a line.
func show(t *testing.T, format, text string) string {
	t.Helper()
	p, err := New(format, "0_suite")
	if err != nil {
		t.Fatal(err)
	}
	var cases []results.Case
	for i, line := range strings.SplitAfter(text, "\n") {
		cases = append(cases, p.Line([]byte(line), i+1)...)
	}
	var out strings.Builder
	for _, c := range append(cases, p.Close()...) {
		if c.Suite != "0_suite" {
			t.Errorf("case %q is of suite %q", c.Case, c.Suite)
		}
		if c.Set != nil {
			out.WriteString(*c.Set + "/")
		}
		fmt.Fprintf(&out, "%s: %s", c.Case, c.Result)
		if c.Measurement != nil {
			fmt.Fprintf(&out, " %g", *c.Measurement)
		}
		if c.Units != nil {
			out.WriteString(" " + *c.Units)
		}
		if c.DurationS != nil {
			fmt.Fprintf(&out, " in %g s", *c.DurationS)
		}
		if c.Message != "" {
			fmt.Fprintf(&out, " %q", c.Message)
		}
		if c.LogLine != nil {
			fmt.Fprintf(&out, " @%d", *c.LogLine)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	for name, tc := range map[string]struct{ format, text, want string }{
		"terminal": {
			"tap", "\x1b[1mTAP version 13\x1b[0m\r\n1..1\r\n\x1b[32mok\x1b[0m 1 \x1b]0;t\x07a\r\n", "a: pass @3\n",
		},
		"runltp": {
			"ltp", `<<<test_start>>>
tag=abort01 stime=1700000000
cmdline="ulimit -c 1024;abort01"
contacts=""
analysis=exit
<<<test_output>>>
abort01.c:43: TPASS: abort() dumped core
<<<execution_status>>>
initiation_status="ok"
duration=2 termination_type=exited termination_id=0 corefile=no
cutime=0 cstime=1
<<<test_end>>>
<<<test_start>>>
tag=acct01 stime=1700000001
<<<test_output>>>
[   77.000000] acct01 invoked something
acct01.c:12: TINFO: hello
acct01.c:112: TFAIL: acct() did not fail
acct01.c:113: TFAIL: and again
<<<execution_status>>>
initiation_status="ok"
duration=0 termination_type=exited termination_id=1 corefile=no
<<<test_end>>>
<<<test_start>>>
tag=add_key04 stime=1700000002
<<<test_output>>>
add_key04    1  TCONF  :  add_key04.c:77: no key support
<<<execution_status>>>
initiation_status="ok"
duration=0 termination_type=exited termination_id=32 corefile=no
<<<test_end>>>
<<<test_start>>>
tag=crash01 stime=1700000003
<<<test_output>>>
<<<execution_status>>>
initiation_status="ok"
duration=1 termination_type=signaled termination_id=11 corefile=no
<<<test_end>>>
<<<test_start>>>
tag=hang01 stime=1700000004
<<<test_output>>>
hang01.c:1: TINFO: waiting
`,
			`abort01: pass in 2 s @1
acct01: fail in 0 s "TFAIL: acct() did not fail" @13
add_key04: skip in 0 s "TCONF: add_key04.c:77: no key support" @24
crash01: fail in 1 s "signaled 11" @32
hang01: missing "it began and did not end" @39
`,
		},
		"runltp -l": {
			"ltp", `Test Start Time: Wed Nov 15 10:00:00 2023
-----------------------------------------
Testcase                                           Result     Exit Value
--------                                           ------     ----------
abort01                                            PASS       0
accept4_01                                         CONF       32
[   12.345678] a message of the kernel
acct02                                             FAIL       2

-----------------------------------------------
Total Tests: 5
Total Skipped Tests: 1
Total Failures: 1
`,
			"abort01: pass @5\naccept4_01: skip @6\nacct02: fail \"TFAIL, exit 2\" @8\n" +
				"2 more tests: missing \"5 tests were run, 3 results seen\" @11\n",
		},
		"kirk": {
			"ltp", `Starting suite: syscalls
abs01: \x1b[1;32mpass\x1b[0m  (0.004s)
bind01: fail | tainted  (1m 2s)
cve-2017: skip  (0.010s)
hang01: timed out

Execution time: 1m 3s
Total Run: 5
`,
			`syscalls/abs01: pass in 0.004 s @2
syscalls/bind01: fail in 62 s "fail" @3
syscalls/cve-2017: skip in 0.01 s @4
syscalls/hang01: fail "timed out" @5
syscalls/1 more tests: missing "5 tests were run, 4 results seen" @8
`,
		},
		"kirk's report": {
			"ltp", `{
    "results": [
        {
            "test_fqn": "abs01",
            "status": "pass",
            "test": {"command": "abs01", "log": "x\ny", "retval": ["0"], "duration": 0.25, "failed": 0, "result": "pass"}
        },
        {
            "test_fqn": "bind01",
            "status": "brok",
            "test": {"retval": ["2"], "duration": 1}
        },
        {"test_fqn": "conf01", "status": "conf", "test": {"retval": ["32"]}}
    ],
    "stats": {"runtime": 1.25}
}
`,
			"abs01: pass in 0.25 s @3\nbind01: fail in 1 s \"brok, exit 2\" @8\nconf01: skip in 0 s @13\n",
		},
		"kirk's report, on a console": {
			"ltp",
			"{\n \"results\": [\n[    1.000000] usb\n  {\"test_fqn\": \"ab[    2.000000] \"more\n" +
				"s01\", \"status\": \"pass\"}\n ]\n}\n",
			"abs01: pass in 0 s @4\n",
		},
		"kirk's report, cut": {
			"ltp", "{\n \"results\": [\n  {\"test_fqn\": \"abs01\", \"status\": \"pass\"},\n  {\"test_f",
			"abs01: pass in 0 s @3\nreport: missing \"read the report: invalid character '\\\\n' in string literal\" @4\n",
		},
		"LTP's test alone": {
			"ltp", `tst_test.c:1558: TINFO: Timeout per run is 0h 00m 30s
accept01.c:92: TPASS: bad file descriptor : EBADF (9)
accept01.c:93: TFAIL: no failure

Summary:
passed   1
failed   1
broken   0
skipped  0
warnings 0
`,
			"accept01: fail \"TFAIL: no failure\" @1\n",
		},
		"gtest": {
			"gtest", `[==========] Running 6 tests from 2 test suites.
[----------] Global test environment set-up.
[----------] 3 tests from FooTest
[ RUN      ] FooTest.Works
[       OK ] FooTest.Works (12 ms)
[ RUN      ] FooTest.Fails
foo_test.cc:12: Failure
Expected equality
[  FAILED  ] FooTest.Fails (0 ms)
[ RUN      ] FooTest.Skips
output without a newline[  SKIPPED ] FooTest.Skips (0 ms)
[----------] 3 tests from FooTest (12 ms total)
[----------] 1 test from Inst/Param
[ RUN      ] Inst/Param.Each/1
[  FAILED  ] Inst/Param.Each/1, where GetParam() = 4 (1 ms)
[ RUN      ] Inst/Param.Crashes/0
[   12.000000] foo_test[77]: segfault at 0
`,
			`FooTest/Works: pass in 0.012 s @5
FooTest/Fails: fail in 0 s "foo_test.cc:12: Failure\nExpected equality" @9
FooTest/Skips: skip in 0 s @11
Inst/Param/Each/1: fail in 0.001 s @15
Inst/Param/Crashes/0: missing "it began and did not end\nfoo_test[77]: segfault at 0" @16
1 more tests: missing "6 tests announced, 5 seen" @1
`,
		},
		"gtest's list of failures": {
			"gtest", `[==========] Running 1 test from 1 test case.
[ RUN      ] A.B
[  FAILED  ] A.B (3 ms)
[==========] 1 test from 1 test case ran. (3 ms total)
[  PASSED  ] 0 tests.
[  FAILED  ] 1 test, listed below:
[  FAILED  ] A.B
`,
			"A/B: fail in 0.003 s @3\n",
		},
		"junit": {
			"junit", `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="6">
  <testsuite name="net" tests="4">
    <properties><property name="measurement" value="1"/></properties>
    <testcase name="ping" classname="net.icmp" time="1,234.5">
      <properties>
        <property name="measurement" value="2.5"/><property name="units" value="ms"/>
      </properties>
    </testcase>
    <testcase name="dns"><failure type="x">no
      answer</failure><skipped/></testcase>
    <testcase name="later"><skipped message="not here"/></testcase>
  </testsuite>
  <testsuite name="gtest" tests="2">
    <testcase name="A" status="run" result="completed" time="0." classname="C"/>
    <testcase name="B" status="notrun" classname="C"/>
  </testsuite>
</testsuites>
`,
			`net.icmp/ping: pass 2.5 ms in 1234.5 s @5
net/dns: fail "no       answer" @10
net/later: skip "not here" @12
net/1 more cases: missing "the testsuite counts 4 cases and holds 3" @3
C/A: pass in 0 s @15
C/B: skip @16
`,
		},
		"junit, a testsuite's own failure": { // of prove's formatter, and of nobody
			"junit", `<testsuites>
<testsuite tests="1" name="c_t" failures="0" errors="2">
<testcase name="1 - before"></testcase>
<error message="Dubious, test returned 255" />
</testsuite>
<testsuite tests="1" name="d" failures="1"><testcase name="x"/></testsuite>
<testsuite tests="1" name="e" failures="1"><testcase name="todo"><skipped type="todo" message="later"/><failure message="x"/></testcase></testsuite>
</testsuites>
`,
			`c_t/1 - before: pass @3
c_t/error: fail "Dubious, test returned 255" @4
d/x: pass @6
d/failures: fail "the testsuite counts 1 failures and errors, and holds none" @6
e/todo: skip "later" @7
`,
		},
		"junit, on a console": {
			"junit",
			"<testsuite name=\"a\" tests=\"2\">\n[    1.000000] usb 1-1: <new\n<testcase na[    2.000000] & more\n" +
				"[    2.000100] of it\nme=\"x\"/>\n<testcase name=\"y\"><failure>[    1.5] kept</failure></testcase>\n" +
				"</testsuite>\n",
			"a/x: pass @3\na/y: fail \"[    1.5] kept\" @6\n",
		},
		"junit, cut": {
			"junit", "\n<testsuite name=\"a\" tests=\"2\">\n<testcase name=\"x\"/>\n<testcase name=\"y\">\n<fail",
			"a/x: pass @3\na/y: unknown \"the report ends within it\" @4\n" +
				"report: missing \"read JUnit XML: XML syntax error on line 5: unexpected EOF\" @5\n",
		},
		"junit, bomb": {
			"junit",
			"<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<testsuite><testcase name=\"&b;\"/></testsuite>",
			"report: missing \"read JUnit XML: XML syntax error on line 2: invalid character entity &b;\" @2\n",
		},
		"junit, another root": {
			"junit", "<html></html>",
			"report: missing \"read JUnit XML: the root is \\\"html\\\", not testsuites or testsuite\" @1\n",
		},
		"nothing": {"junit", "hello\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, show(t, tc.format, strings.ReplaceAll(tc.text, `\x1b`, "\x1b"))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := New("xunit", "s"); err == nil ||
		!strings.Contains(err.Error(), "there are gtest, junit, kselftest, ktap, kunit, ltp, tap") {
		t.Errorf("error %v", err)
	}
}

// FuzzFormats feeds all formats anything: no panic, and never more cases than lines would explain.
func FuzzFormats(f *testing.F) {
	for _, seed := range []string{
		"<<<test_start>>>\ntag=a b\n<<<test_end>>>\nStarting suite: x\na: pass  (1s)\nTotal Run: 9",
		"[==========] Running 3 tests from 1 test suite.\n[ RUN      ] A.B\n[       OK ] A.B (1 ms)",
		"<testsuites><testsuite tests=\"9\"><testcase name=\"x\"><failure/></testcase></testsuite></testsuites>",
		"{\"results\": [{\"test_fqn\": \"a\", \"status\": \"pass\"}]}",
		"TAP version 14\n1..3\nok 1\n  ---\n  ...\n    # Subtest: x\n\x1b[1mok 2\x1b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range Names() {
			p, err := New(name, "s")
			if err != nil {
				t.Fatal(err)
			}
			var cases []results.Case
			lines := strings.SplitAfter(text, "\n")
			for i, line := range lines {
				cases = append(cases, p.Line([]byte(line), i+1)...)
			}
			cases = append(cases, p.Close()...)
			if len(cases) > 200*(len(text)+1) {
				t.Errorf("%s: %d cases of %d bytes", name, len(cases), len(text))
			}
			for _, c := range cases {
				if c.Suite != "s" || c.Case == "" || c.Result == "" || c.LogLine == nil || *c.LogLine < 1 ||
					*c.LogLine > len(lines)+1 {
					t.Errorf("%s: case %+v", name, c)
				}
			}
			if more := p.Close(); len(more) > 0 {
				t.Errorf("%s: closed twice, %d cases more", name, len(more))
			}
		}
	})
}
