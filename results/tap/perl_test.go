package tap

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results"
)

// judge is what Perl's TAP::Parser says of files: how many passed, failed, were skipped, and whether something is
// wrong.
const judge = `
use TAP::Parser;
for my $file (@ARGV) {
	my $p = TAP::Parser->new({ tap => do { local (@ARGV, $/) = $file; <> } });
	my ($pass, $fail, $skip) = (0, 0, 0);
	while (my $r = $p->next) {
		next unless $r->is_test;
		if ($r->has_skip || $r->has_todo && !$r->is_actual_ok) { $skip++ } elsif ($r->is_ok) { $pass++ } else { $fail++ }
	}
	print "$pass $fail $skip ", ($p->has_problems ? 1 : 0), "\n";
}
`

// TestPerlParser compares with the parser that prove uses, over documents without subtests, cut at random.
func TestPerlParser(t *testing.T) {
	perl, err := exec.LookPath("perl")
	if err != nil || exec.CommandContext(t.Context(), perl, "-MTAP::Parser", "-e1").Run() != nil {
		t.Skip("no TAP::Parser here")
	}
	r := rand.New(rand.NewPCG(1, 14)) //nolint:gosec // the same documents each time
	dir := t.TempDir()
	args := []string{"-e", judge}
	texts := make([]string, 400)
	for i := range texts {
		texts[i] = document(r)
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(texts[i]), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.CommandContext(t.Context(), perl, args...).Output()
	if err != nil {
		t.Fatalf("run TAP::Parser: %v", err)
	}
	verdicts := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(verdicts) != len(texts) {
		t.Fatalf("%d verdicts of %d texts", len(verdicts), len(texts))
	}
	clean := 0
	for i, want := range verdicts {
		got := count(texts[i])
		if got != want {
			t.Errorf("%s, TAP::Parser says %s:\n%s", got, want, texts[i])
		}
		if strings.HasSuffix(got, " 0") {
			clean++
		}
	}
	t.Logf("%d documents, %d without a problem", len(texts), clean)
}

// count is what this parser says of a text, in the same form.
func count(text string) string {
	p := New("s")
	var cases []results.Case
	for i, line := range strings.SplitAfter(text, "\n") {
		cases = append(cases, p.Line([]byte(line), i+1)...)
	}
	n, problem := map[string]int{}, 0
	for _, c := range append(cases, p.Close()...) {
		switch {
		case c.Case == "plan" && c.Result == results.Skip: // all of them
		case c.Case == "plan" || c.Case == "bail-out" || c.Result == results.Missing:
			problem = 1
		default:
			n[c.Result]++
		}
	}
	if n[results.Fail] > 0 {
		problem = 1
	}
	return fmt.Sprintf("%d %d %d %d", n[results.Pass], n[results.Fail], n[results.Skip], problem)
}

// document is a document, often whole.
func document(r *rand.Rand) string {
	var b strings.Builder
	n := r.IntN(6)
	plan := fmt.Sprintf("1..%d\n", n)
	late := n > 0 && r.IntN(3) == 0
	if r.IntN(2) == 0 {
		b.WriteString("TAP version 13\n")
	}
	if !late {
		b.WriteString(plan)
	}
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	for i := range n {
		number, name := pick("", fmt.Sprintf(" %d", i+1)), pick("", " a", " - b", ` c \# d`, " e [x]")
		if i == 0 && b.Len() == 0 {
			number = " 1" // else nothing says that this is the protocol
		}
		result := pick("ok", "ok", "ok", "not ok") // perl has it that a skipped test must not fail
		directive := pick("", "", "", " # TODO", " # todo: later", " # time=3ms")
		if result == "ok" {
			directive = pick(directive, directive, " # SKIP", " # skip why")
		}
		b.WriteString(result + number + name + directive + "\n")
		b.WriteString(pick(
			"", "", "# diagnostic\n", "# # ok 9\n", "  ---\n  message: x\n  ...\n", "noise\n", "okay then\n", "notok\n", "\n",
		))
	}
	if late {
		b.WriteString(plan)
	}
	s := b.String()
	if r.IntN(3) == 0 { // after a line
		lines := strings.SplitAfter(s, "\n")
		s = strings.Join(lines[:1+r.IntN(len(lines))], "")
	}
	return s
}
