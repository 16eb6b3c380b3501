package runner_test

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/test/guest"
)

// TestProvoked has a real kernel break during a test in every way that it can, and looks at how soon the run ends, and
// whom it names. Run it with -v for the table.
func TestProvoked(t *testing.T) {
	t.Parallel()
	root := images(t)
	const load = "echo %s | base64 -d | gunzip > /tmp/m.ko && insmod /tmp/m.ko"
	for _, c := range []struct {
		name    string
		provoke string
		code    []byte // of a module's init function, if it takes one
		verdict verdict
		kind    string
		after   time.Duration // the kernel's own wait, and ours for late output
	}{
		{
			"panic", "echo c > /proc/sysrq-trigger", nil,
			verdict{
				"incomplete", results.ClassTest, "kernel panic: sysrq triggered crash",
				"0_smoke/before=pass 0_smoke/provoked=missing",
			},
			"panic", 0,
		},
		{
			"reboot", "reboot -f", nil,
			verdict{"incomplete", results.ClassTest, "unexpected kernel reboot", "0_smoke/before=pass 0_smoke/provoked=missing"},
			"reboot", 0,
		},
		{
			"power off", "poweroff -f", nil,
			verdict{
				"incomplete", results.ClassTest, "the guest shut itself down", "0_smoke/before=pass 0_smoke/provoked=missing",
			},
			"", 0,
		},
		{
			"oops", load,
			[]byte{0x31, 0xc0, 0x8b, 0x00}, // xor %eax,%eax; mov (%rax),%eax
			verdict{
				"fail", results.ClassTest, "BUG: unable to handle kernel NULL pointer dereference in init_nls_utf8",
				"0_smoke/before=pass 0_smoke/provoked=fail 0_smoke/after=pass",
			},
			"null-deref", 0,
		},
		{
			"hang", "echo 1 > /proc/sys/kernel/watchdog_thresh; " + load,
			[]byte{0xeb, 0xfe}, // jmp .
			verdict{"incomplete", results.ClassTest, "BUG: soft lockup in ", "0_smoke/before=pass 0_smoke/provoked=missing"},
			"soft-lockup", 40 * time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			provoke := c.provoke
			if c.code != nil {
				provoke = fmt.Sprintf(c.provoke, module(t, root, c.code))
			}
			steps, err := json.Marshal([]string{
				"lava-test-case before --shell true", "lava-test-event now", "lava-test-case provoked --shell '" + provoke + "'",
				"lava-test-case after --shell true",
			})
			if err != nil {
				t.Fatal(err)
			}
			res, dir := serve(t, source(t, func(p *params) {
				p.Steps, p.TestSeconds = string(steps), 120
			}), plan.Policy{FileRoots: []string{root}})
			check(t, res, c.verdict)
			if c.kind == "" {
			} else if i := slices.IndexFunc(res.Findings, func(f results.Finding) bool { return f.Kind == c.kind }); i < 0 {
				t.Errorf("no %s among %+v", c.kind, res.Findings)
			} else if f := res.Findings[i]; f.Section != "test" || f.Suite != "0_smoke" {
				t.Errorf("it fell during %q %q %q", f.Section, f.Suite, f.Case)
			}
			now, finding, end := moments(t, dir)
			took := end.Sub(now)
			t.Logf("%-8s event to finding %5.2f s, to verdict %5.2f s, %s (%s), exit %d: %s", c.name,
				finding.Sub(now).Seconds(), took.Seconds(), res.Verdict.Verdict, res.Class, res.ExitCode(), res.Message)
			const most = 30 * time.Second // on a slow machine; the timeout of the test would be 120 s
			if took > most+c.after {
				t.Errorf("the verdict took %s", took)
			}
		})
	}
}

// moments are when the test said that it begins, when the first finding was reported, and when the verdict was.
func moments(t *testing.T, dir string) (now, finding, verdict time.Time) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, results.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var e results.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Log != nil && e.Log.Message == "event: now":
			now = e.Time
		case (e.Finding != nil || e.Step != nil && e.Step.Class != "") && finding.IsZero():
			finding = e.Time
		case e.Verdict != nil:
			verdict = e.Time
		}
	}
	if now.IsZero() || finding.IsZero() || verdict.IsZero() {
		t.Fatalf("an event is missing: %v %v %v", now, finding, verdict)
	}
	return now, finding, verdict
}

// module is a module of the kernel whose init function begins with code, compressed and in base64: Debian's cloud
// kernel has none of its own to break it with.
func module(t *testing.T, dir string, code []byte) string {
	t.Helper()
	path, err := guest.Module(t.Context(), dir, "kernel/fs/nls/nls_utf8.ko")
	if err != nil {
		t.Skip("no kernel module here:", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	const after = 5 // the call of __fentry__, which the kernel replaces
	copy(b[f.Section(".init.text").Offset+after:], code)
	// Nothing may be relocated into the code.
	moves := f.Section(".rela.init.text")
	for at := moves.Offset; at < moves.Offset+moves.Size; at += 24 {
		place := binary.LittleEndian.Uint64(b[at:])
		if place+4 > after && place < after+uint64(len(code)) {
			binary.LittleEndian.PutUint64(b[at+8:], 0) // R_X86_64_NONE
		}
	}
	// A module without a signature taints the kernel, one with a wrong signature is refused. The signature's length is
	// the last word before the mark: Linux's include/linux/module_signature.h.
	const mark = "~Module signature appended~\n"
	if rest, signed := bytes.CutSuffix(b, []byte(mark)); signed {
		b = rest[:len(rest)-12-int(binary.BigEndian.Uint32(rest[len(rest)-4:]))]
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// TestCleanBoots finds nothing where nothing is wrong. GANTRY_CLEAN_BOOTS says how often; it is 2 otherwise.
func TestCleanBoots(t *testing.T) {
	t.Parallel()
	root := images(t)
	n := 2
	if s := os.Getenv("GANTRY_CLEAN_BOOTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		res, _ := serve(t, source(t, nil), plan.Policy{FileRoots: []string{root}})
		var found []string
		for _, f := range res.Findings {
			found = append(found, f.Title)
		}
		if len(found) > 0 || res.Verdict.Verdict != results.VerdictPass {
			t.Errorf("boot %d: %s %s, found %s", i, res.Verdict.Verdict, res.Message, strings.Join(found, "; "))
		}
	}
	t.Logf("%d clean boots", n)
}

// TestKernelList has an oops allowed by the repository, and a message denied that is no trouble to anybody else.
func TestKernelList(t *testing.T) {
	t.Parallel()
	root := images(t)
	oops := "echo " + module(t, root, []byte{
		0x31, 0xc0, 0x8b, 0x00,
	}) + " | base64 -d | gunzip > /tmp/m.ko && insmod /tmp/m.ko"
	for _, c := range []struct {
		name, list, step string
		want             verdict
	}{
		{
			"allowed", "allow: [{match: /in init_nls_utf8/, reason: '#42', until: 2999-12-31}]", oops,
			verdict{"pass", "", "", "0_smoke/first=pass 0_smoke/last=pass"},
		},
		{
			"allowed until yesterday", "allow: [{match: /in init_nls_utf8/, reason: '#42', until: 2020-12-31}]", oops,
			verdict{
				"fail", results.ClassTest, "NULL pointer dereference in init_nls_utf8", "0_smoke/first=pass 0_smoke/last=pass",
			},
		},
		{
			"denied", "deny: [{match: '/frobbed/', reason: never, until: 2999-12-31}]",
			"echo '<3>it frobbed' > /dev/kmsg; sleep 30",
			verdict{"incomplete", results.ClassTest, "it frobbed", "0_smoke/first=pass"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list, report := kernlog.ParseList([]byte(c.list), time.Now())
			if err := report.Err(); err != nil {
				t.Fatal(err)
			}
			steps, err := json.Marshal([]string{
				"lava-test-case first --shell true", "(" + c.step + ") || true", "lava-test-case last --shell true",
			})
			if err != nil {
				t.Fatal(err)
			}
			res, _ := serve(t, source(t, func(p *params) {
				p.Steps = string(steps)
			}), plan.Policy{FileRoots: []string{root}}, func(o *runner.Options) { o.Kernel = list })
			check(t, res, c.want)
		})
	}
}
