package tap

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results"
)

// show reads text and writes each case as a line.
func show(p *Parser, text string) []string {
	var cases []results.Case
	for i, line := range strings.Split(text, "\n") {
		cases = append(cases, p.Line([]byte(line), i+1)...)
	}
	var got []string
	for _, c := range append(cases, p.Close()...) {
		s := c.Case
		if c.Set != nil {
			s = *c.Set + "/" + s
		}
		s += ": " + c.Result
		if c.Note != "" {
			s += " (" + c.Note + ")"
		}
		if c.DurationS != nil {
			s += fmt.Sprintf(" in %g s", *c.DurationS)
		}
		if c.Message != "" {
			s += " " + fmt.Sprintf("%q", c.Message)
		}
		got = append(got, fmt.Sprintf("%s @%d", s, *c.LogLine))
	}
	return got
}

func TestTAP(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"points": {
			text: `TAP version 13
1..9
ok 1 - plain
not ok 2 broken
#   Failed test 'broken'
#   at t/x.t line 7.
ok 3 # SKIP no network
not ok 4 later # TODO not done
ok 5 early # todo was not done
ok 6 issue \#12 and C# too
[   12.345678] usb 1-1: new device
ok - unnumbered
ok 8 quick # time=12.5ms
ok
`,
			want: `plain: pass @3
broken: fail "Failed test 'broken'\nat t/x.t line 7." @4
test-3: skip "no network" @7
later: skip (todo) "not done" @8
early: pass (todo) "was not done" @9
issue #12 and C# too: pass @10
unnumbered: pass @12
quick: pass in 0.0125 s @13
test-9: pass @14`,
		},
		"yaml": {
			text: `TAP version 14
1..2
not ok 1 - resolve address
  ---
  message: "Failed with error 'hostname peebles.example.com not found'"
  severity: fail
  found:
    hostname: 'x'
  duration_ms: 250
  ...
not ok 2 - block
  ---
  message: |
    one
    two
  at: here
`,
			want: `resolve address: fail in 0.25 s "Failed with error 'hostname peebles.example.com not found'" @3
block: fail "one\ntwo" @11
rest of the results: missing "the output ends within a diagnostic" @17`,
		},
		"subtests": {
			text: `TAP version 14
1..2
# Subtest: foo.tap
    1..2
    ok 1
    ok 2 - this passed
ok 1 - foo.tap
    # Subtest: bar
    ok 1 - x
        ok 1 - deep
        1..1
    not ok 2 - y
    1..3
not ok 2 - bar
`,
			want: `foo.tap/test-1: pass @5
foo.tap/this passed: pass @6
foo.tap: pass @7
bar/x: pass @9
bar/y/deep: pass @10
bar/y: fail @12
bar/test-3: missing "planned as one of 3, not reported" @13
bar: fail @14`,
		},
		"missing": {
			text: "1..4\nok 1 a\nok 3 c\n",
			want: `a: pass @2
c: pass @3
test-2: missing "planned as one of 4, not reported" @1
test-4: missing "planned as one of 4, not reported" @1`,
		},
		"cut in a subtest": {
			text: "TAP version 14\n1..2\n# Subtest: first\n    1..2\n    ok 1 a\n",
			want: `first/a: pass @5
first/test-2: missing "planned as one of 2, not reported" @4
first: missing "it began and did not end" @6
test-2: missing "planned as one of 2, not reported" @2`,
		},
		"too many": {
			text: "1..1\nok 1 a\nok 2 b\nok 2 b\n",
			want: "a: pass @2\nb: pass @3\nb: pass (number 2 again) @4\nplan: fail \"3 results, 1 planned\" @1",
		},
		"no plan": {
			text: "TAP version 13\nok 1 a\n",
			want: "a: pass @2\nplan: missing \"no plan says how many results there should be\" @1",
		},
		"skip all": {text: "TAP version 13\n1..0 # SKIP no usb\n", want: "plan: skip \"no usb\" @2"},
		"bail out": {
			text: "1..3\nok 1 a\nBail out! Couldn't connect\nok 2 b\n",
			want: "a: pass @2\ntest-2: missing \"planned as one of 3, not reported\" @1\n" +
				"test-3: missing \"planned as one of 3, not reported\" @1\nbail-out: fail \"Couldn't connect\" @3",
		},
		"two streams": {
			text: "1..1\nok 1 a\n1..1\nok 1 b\nTAP version 13\n1..1\nnot ok 1 c\n", want: "a: pass @2\nb: pass @4\nc: fail @7",
		},
		"many missing": {
			text: "1..2147483647\n",
			want: strings.Join(
				append(
					planned(1, 99, 2147483647),
					`test-100 and 2147483547 more: missing "planned as one of 2147483647, not reported" @1`,
				),
				"\n",
			),
		},
		"no protocol": {text: "ok then\nokay\nnotok 1\n1..x\nTAP version x\n# ok 1 not here\nok\n", want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, strings.Join(show(New("s"), tc.text), "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func planned(from, to, of int) []string {
	var s []string
	for n := from; n <= to; n++ {
		s = append(s, fmt.Sprintf(`test-%d: missing "planned as one of %d, not reported" @1`, n, of))
	}
	return s
}

func TestKernel(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"nested": {
			text: `KTAP version 1
1..2
  KTAP version 1
  1..2
    KTAP version 1
    1..2
    # test_1: EXPECTATION FAILED at lib/x.c:7
    not ok 1 test_1
    ok 2 test_2 # SKIP
  not ok 1 test_3
  ok 2 test_4 # SKIP no device
not ok 1 outer
ok 2 alone # rcode=0
`,
			want: `outer/test_3/test_1: fail "test_1: EXPECTATION FAILED at lib/x.c:7" @8
outer/test_3/test_2: skip @9
outer/test_3: fail @10
outer/test_4: skip "no device" @11
outer: fail @12
alone: pass "rcode=0" @13`,
		},
		"KUnit by printk, cut by a panic": {
			text: `[    0.060000] KTAP version 1
[    0.060000] 1..3
[    0.060000][    T1]     KTAP version 1
[    0.060000]     # Subtest: resource
<6>[    0.060000]     1..2
[    0.060000]     ok 1 - init
[    0.060000] random: crng init done
[    0.060000]     ok 2 - alloc
[    0.060000] ok 1 - resource
[    0.060000]     KTAP version 1
[    0.060000]     # Subtest: strings
[    0.060000]     1..3
[    0.060000]     ok 1 empty
[    0.060000] Kernel panic - not syncing: VFS
`,
			want: `resource/init: pass @6
resource/alloc: pass @8
resource: pass @9
strings/empty: pass @13
strings/test-2: missing "planned as one of 3, not reported" @12
strings/test-3: missing "planned as one of 3, not reported" @12
strings: missing "it began and did not end" @15
test-3: missing "planned as one of 3, not reported" @2`,
		},
		"old KUnit with tabs and no plan": {
			text: "TAP version 14\n\t# Subtest: a\n\t1..1\n\tok 1 - x\nok 1 - a\n",
			want: "a/x: pass @4\na: pass @5",
		},
		"kselftest": {
			text: `TAP version 13
1..4
# selftests: net: foo.sh
# TAP version 13
# 1..2
# ok 1 first
# # a comment of the test
# not ok 2 second
not ok 1 selftests: net: foo.sh # exit=1
# selftests: net: bar.sh
# TAP version 13
# 1..1
# # nested once more
# # 1..1
# # ok 1 inner
# ok 1 outer # XFAIL known
ok 2 selftests: net: bar.sh
# selftests: net: slow.sh
#
not ok 3 selftests: net: slow.sh # TIMEOUT 45 seconds
# selftests: net: hangs.sh
# TAP version 13
# 1..3
# ok 1 one
`,
			want: `net/foo.sh/first: pass @6
net/foo.sh/second: fail "a comment of the test" @8
net/foo.sh: fail "exit=1" @9
net/bar.sh/outer/inner: pass @15
net/bar.sh/outer: pass (xfail) "known" @16
net/bar.sh: pass @17
net/slow.sh: fail "timed out: 45 seconds" @20
net/hangs.sh/one: pass @24
net/hangs.sh/test-2: missing "planned as one of 3, not reported" @23
net/hangs.sh/test-3: missing "planned as one of 3, not reported" @23
net/hangs.sh: missing "it began and did not end" @25`,
		},
		"indented more than its plan": {
			text: "KTAP version 1\n1..2\nnot ok 1 one\n    KTAP version 1\n    1..1\n        not ok 1 inner\nnot ok 2 two\n",
			want: "one: fail @3\ntwo/inner: fail @6\ntwo: fail @7",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, strings.Join(show(NewKernel("s"), tc.text), "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestPerl reads what Perl's Test::More really prints.
func TestPerl(t *testing.T) {
	perl, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("no perl here")
	}
	const script = `use Test::More; plan tests => 5; pass("a"); fail("b #1"); SKIP: { skip "no net", 1 }
		TODO: { local $TODO = "later"; fail("d") }
		subtest "inner" => sub { plan tests => 3; ok(1, "x"); ok(0, "y");
		subtest "deep" => sub { plan skip_all => "not here" } };`
	out, _ := exec.CommandContext(t.Context(), perl, "-e", script).Output() // it exits with the number of failed tests
	want := `a: pass
b #1: fail
test-3: skip "no net"
d: skip (todo) "later"
inner/x: pass
inner/y: fail
inner/deep/plan: skip "not here"
inner/deep: skip "not here"
inner: fail`
	var got []string
	for _, s := range show(New("s"), string(out)) {
		s, _, _ = strings.Cut(s, " @")
		got = append(got, s)
	}
	if d := cmp.Diff(want, strings.Join(got, "\n")); d != "" {
		t.Errorf("%s\n%s", d, out)
	}
}

func FuzzTAP(f *testing.F) {
	f.Add("TAP version 13\n1..2\nok 1 a\n    ok 1 b\n  ---\n  message: |\n   x\n  ...\nBail out!", false)
	f.Add("# # ok 1\n  # Subtest: x\n# selftests: a: b\nnot ok 1 # TIMEOUT", true)
	f.Fuzz(func(t *testing.T, text string, kernel bool) {
		p := New("s")
		if kernel {
			p = NewKernel("s")
		}
		points := 0
		var cases []results.Case
		for i, line := range strings.Split(text, "\n") {
			cases = append(cases, p.Line([]byte(line), i+1)...)
			points++
		}
		cases = append(cases, p.Close()...)
		if len(cases) > (maxMissing+3)*(points+1) {
			t.Errorf("%d cases of %d lines", len(cases), points)
		}
		for _, c := range cases {
			if c.Case == "" || c.Suite != "s" || c.LogLine == nil {
				t.Errorf("case %+v", c)
			}
		}
	})
}
