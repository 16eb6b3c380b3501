package tap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKernelShapes has what real runs of Linux 6.1's kselftest and KUnit print, each shortened to the shape that
// matters.
func TestKernelShapes(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"messages that look like results": {
			text: `[    0.120000] KTAP version 1
[    0.120000] 1..1
[    0.120000]     KTAP version 1
[    0.120000]     # Subtest: broken
[    0.120000]     1..2
[    0.120000]     # fails: EXPECTATION FAILED at lib/kunit/broken-test.c:4
[    0.120000]     Expected 1 + 1 == 3, but
[    0.120000]         1 + 1 == 2
[    0.120000]     not ok 1 fails
[    0.120000] ok then, a message
[    0.120000] not ok: a message
[    0.120000]     ok 2 skips # SKIP no hardware # today
[    0.120000] # broken: pass:0 fail:1 skip:1 total:2
[    0.120000] # Totals: pass:0 fail:1 skip:1 total:2
[    0.120000] not ok 1 broken
`,
			want: `broken/fails: fail "fails: EXPECTATION FAILED at lib/kunit/broken-test.c:4\nExpected 1 + 1 == 3, but\n1 + 1 == 2" @9
broken/skips: skip "no hardware # today" @12
broken: fail "broken: pass:0 fail:1 skip:1 total:2\nTotals: pass:0 fail:1 skip:1 total:2" @15`,
		},
		"results only counted": { // kcmp_test
			text: `TAP version 13
1..1
# selftests: kcmp: kcmp_test
# TAP version 13
# 1..3
# PASS: 0 returned as expected
# # Totals: pass:3 fail:0 xfail:0 xpass:0 skip:0 error:0
ok 1 selftests: kcmp: kcmp_test
`,
			want: `kcmp/kcmp_test/totals: pass "3 results are only counted: pass:3 fail:0 xfail:0 xpass:0 skip:0 error:0" @7
kcmp/kcmp_test: pass @8`,
		},
		"not all of them counted": {
			text: "TAP version 13\n1..1\n# selftests: a: b\n# TAP version 13\n# 1..3\n# ok 1 x\n" +
				"# # Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:1\nnot ok 1 selftests: a: b # exit=1\n",
			want: `a/b/x: pass @6
a/b/test-2: missing "planned as one of 3, not reported" @5
a/b/test-3: missing "planned as one of 3, not reported" @5
a/b: fail "exit=1" @8`,
		},
		"printed once more by a child": { // pidfd_test, breakpoint_test
			text: `TAP version 13
1..1
# selftests: pidfd: pidfd_test
# TAP version 13
# 1..3
# ok 1 one
# TAP version 13
# 1..3
# ok 1 one
# not ok 2 two
# ok 1 one
# not ok 2 two
# ok 3 # SKIP three
# TAP version 13
not ok 1 selftests: pidfd: pidfd_test # exit=1
`,
			want: `pidfd/pidfd_test/one: pass @6
pidfd/pidfd_test/two: fail @10
pidfd/pidfd_test/test-3: skip "three" @13
pidfd/pidfd_test: fail "exit=1" @15`,
		},
		"two documents of one program": {
			text: "TAP version 13\n1..1\n# selftests: a: b\n# 1..1\n# ok 1 x\n# 1..2\n# ok 1 y\nok 1 selftests: a: b\n",
			want: "a/b/x: pass @5\na/b/y: pass @7\na/b/test-2: missing \"planned as one of 2, not reported\" @6\na/b: pass @8",
		},
		"a program bails out": { // resolve_test
			text: `TAP version 13
1..2
# selftests: openat2: resolve_test
# TAP version 13
# 1..88
# Bail out! mount failed - errno:22
# # Planned tests != run tests (88 != 0)
not ok 1 selftests: openat2: resolve_test # exit=1
# selftests: openat2: rename_attack_test
ok 2 selftests: openat2: rename_attack_test
`,
			want: `openat2/resolve_test/bail-out: fail "mount failed - errno:22" @6
openat2/resolve_test/test-1 and 87 more: missing "planned as one of 88, not reported" @5
openat2/resolve_test: fail "exit=1\nPlanned tests != run tests (88 != 0)" @8
openat2/rename_attack_test: pass @10`,
		},
		"more results than planned": { // what kselftest lets pass is no failure
			text: "TAP version 13\n1..1\n# selftests: a: b\n# 1..1\n# ok 1 x\n# ok 2 y\nok 1 selftests: a: b\n",
			want: "a/b/x: pass @5\na/b/y: pass @6\na/b/plan: unknown \"2 results, 1 planned\" @4\na/b: pass @7",
		},
		"a last line without its end": {
			text: "TAP version 13\n1..2\n# selftests: a: b\n# 1..1\n# ok 1 xok 1 selftests: a: b\n# selftests: a: c\n" +
				"# killednot ok 2 selftests: a: c # exit=1\n",
			want: "a/b/x: pass @5\na/b: pass @5\na/c: fail \"exit=1\\nkilled\" @7",
		},
		"Linux 4.19": {
			text: `TAP version 13
selftests: timers: posix_timers
========================================
ok 1..1 selftests: timers: posix_timers [PASS]
selftests: timers: nanosleep
not ok 1..2 selftests: timers: nanosleep [FAIL]
not ok 1..3 selftests: timers: rtcpie [SKIP]
`,
			want: "timers/posix_timers: pass @4\ntimers/nanosleep: fail @6\ntimers/rtcpie: skip @7",
		},
		"no results below a name": {
			text: "TAP version 14\n1..1\n  # Subtest: suite\n  1..1\n    # Subtest: case\n  ok 1 - case\nok 1 - suite\n",
			want: "suite/case/plan: missing \"it has no results\" @6\nsuite/case: pass @6\nsuite: pass @7",
		},
		"the kernel prints into lines": {
			text: `TAP version 13
1..3
# selftests: mqueue: mq_op[   12.345678] random: crng init done
[   12.345999][    T1] usb 1-1: new device
en_tests
# 1..2
# ok 1 fir[   13.000001] one
st
# not o[   13.000002] two
k 2 sec[   13.000003] three
ond
ok 1 selftests: mqueue: mq_open_tests[   14.000000] four

# selftests: a: quotes
# [   15.000000] dmesg says
# foo [   15.000001] ok 7 no
not ok 2 selftests: a: quotes # see [   15.000002] BUG
# selftests: a: last
ok 3 selftests: a: la[   16.000000] cut off`,
			want: `mqueue/mq_open_tests/first: pass @7
mqueue/mq_open_tests/second: fail @9
mqueue/mq_open_tests: pass @12
a/quotes: fail "see [   15.000002] BUG\n[   15.000000] dmesg says\nfoo [   15.000001] ok 7 no" @17
a/la[   16.000000] cut off: pass @19`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, strings.Join(show(NewKernel("s"), tc.text), "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestShapes has what real tools of TAP print.
func TestShapes(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"prove": {
			text: `t/a.t .. 
1..3
ok 1 - one
not ok 2 - two
Dubious, test returned 1 (wstat 256, 0x100)
Failed 2/3 subtests 
t/b.t .. skipped: not today
Bailout called.  Further testing stopped:  stop
t/c.t .. 
ok 1
ok
t/deep/d.t .. ok
t/e.t ..... 
Dubious, test returned 255 (wstat 65280, 0xff00)
No subtests run 

Test Summary Report
-------------------
t/a.t (Wstat: 256 (exited 1) Tests: 2 Failed: 1)
Result: FAIL
ok 1 of something else
`,
			want: `t/a.t/one: pass @3
t/a.t/two: fail @4
t/a.t/test-3: missing "planned as one of 3, not reported" @2
t/a.t: fail "Dubious, test returned 1 (wstat 256, 0x100)\nFailed 2/3 subtests" @5
bail-out: fail "stop" @8
t/b.t: skip "not today" @7
t/c.t/test-1: pass @10
t/c.t: pass @11
t/deep/d.t: pass @12
t/e.t: fail "Dubious, test returned 255 (wstat 65280, 0xff00)\nNo subtests run" @14
of something else: pass @21
plan: missing "no plan says how many results there should be" @21`,
		},
		"prove, cut": {
			text: "t/a.t .. \n1..1\nok 1 - one\n",
			want: "t/a.t/one: pass @3\nt/a.t: missing \"it began and did not end\" @4\n" +
				"prove: missing \"its result did not come\" @4",
		},
		"prove, cut between files": {
			text: "t/a.t .. ok\n",
			want: "t/a.t: pass @1\nprove: missing \"its result did not come\" @2",
		},
		"keys indented once more": { // mocha, tape
			text: "TAP version 13\nnot ok 1 a\n  ---\n    message: |-\n      one\n      ok 5 no\n    stack: |-\n      x\n" +
				"  ...\n1..1\n# tests 1\n# fail 1\n",
			want: "a: fail \"one\\nok 5 no\" @2",
		},
		"error for message, and a message of the kernel": { // node
			text: "TAP version 13\nnot ok 1 - a\n  ---\n  duration_ms: 52.041659\n[   12.345678] usb 1-1: new device\n" +
				"  error: |-\n    one\n    \n    two\n  code: 'x'\n  ...\n1..1\n# tests 1\n",
			want: "a: fail in 0.052041659 s \"one\\ntwo\" @2",
		},
		"words that are no results": { // bats, and a test that says what it likes
			text: "1..2\nok 1 name with \\ backslash\npragma +strict\nok 2 x # skip\nloading .. ok\n",
			want: "name with \\ backslash: pass @2\nx: skip @4",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, strings.Join(show(New("s"), tc.text), "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}
