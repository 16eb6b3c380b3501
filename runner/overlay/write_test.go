package overlay

import (
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// helper unpacks an overlay whose stage has begun, and returns a shell command line for its helpers.
func helper(t *testing.T, sh string) (root, prelude string) {
	t.Helper()
	s := &Spec{ID: "7", Shell: sh, ResultsDir: filepath.Join(t.TempDir(), "lava-%s"), Stages: []Stage{{}}}
	o, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	unpack(t, o)
	state := o.Root() + "/0/gantry"
	if err := os.MkdirAll(state+"/seq", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.Root()+"/gantry/stage", []byte(state+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return o.Root(), "PATH=" + o.Root() + "/bin:$PATH; "
}

// TestOneWrite runs helpers with a datagram socket for their output: each datagram is one write.
func TestOneWrite(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			_, prelude := helper(t, sh)
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
			defer func() { _ = ours.Close() }()
			cmd := exec.CommandContext(t.Context(), sh, "-c", prelude+"lava-test-case a --shell true; lava-test-set start 'x y'")
			cmd.Stdout, cmd.Stderr = theirs, os.Stderr
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			theirs.Close()
			for i, want := range []string{
				"<LAVA_SIGNAL_STARTTC a>", "<LAVA_SIGNAL_ENDTC a>", "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>",
				"<LAVA_SIGNAL_TESTSET START x y>",
			} {
				b := make([]byte, 4096)
				n, _, err := unix.Recvfrom(fds[0], b, unix.MSG_DONTWAIT)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := string(b[:n]), trailed(i+1, want); got != want {
					t.Errorf("write %d is %q, want %q", i+1, got, want)
				}
			}
		})
	}
}

func trailed(seq int, text string) string {
	return fmt.Sprintf(
		"%s\n<GANTRY_TRAILER 0.%d %08x>\n", text, seq, crc32.ChecksumIEEE(fmt.Appendf(nil, "0.%d %s", seq, text)),
	)
}

// TestChecksumOfEveryByte has the shells checksum every byte that a signal can hold.
func TestChecksumOfEveryByte(t *testing.T) {
	var all []byte
	for c := 1; c < 256; c++ {
		all = append(all, byte(c))
	}
	var clean []byte
	for _, c := range all {
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		clean = append(clean, c)
	}
	for name, sh := range shells(t) {
		for _, locale := range []string{"C", "C.UTF-8", ""} {
			t.Run(name+" "+locale, func(t *testing.T) {
				root, _ := helper(t, sh)
				cmd := exec.CommandContext(t.Context(), root+"/bin/gantry-signal", "<"+string(all)+">")
				cmd.Env = []string{"PATH=/usr/bin:/bin"}
				if locale != "" {
					cmd.Env = append(cmd.Env, "LC_ALL="+locale)
				}
				out, err := cmd.CombinedOutput()
				if want := trailed(1, "<"+string(clean)+">"); err != nil || string(out) != want {
					t.Errorf("%q, error %v; want %q", out, err, want)
				}
			})
		}
	}
}

// TestParallelReports has 40 processes report at once: no number is given twice, and none is left out.
func TestParallelReports(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			root, prelude := helper(t, sh)
			const n = 40
			script := fmt.Sprintf(
				"%si=0; while [ $i -lt %d ]; do i=$((i+1)); lava-test-case case$i --result pass & done; wait", prelude, n,
			)
			out, err := exec.CommandContext(t.Context(), sh, "-c", script).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var seqs []int
			for _, m := range regexp.MustCompile(`(?m)^<GANTRY_TRAILER 0\.(\d+) [0-9a-f]{8}>$`).FindAllSubmatch(out, -1) {
				seq, err := strconv.Atoi(string(m[1]))
				if err != nil {
					t.Fatal(err)
				}
				seqs = append(seqs, seq)
			}
			slices.Sort(seqs)
			if len(seqs) != n || seqs[0] != 1 || seqs[n-1] != n || len(slices.Compact(seqs)) != n {
				t.Errorf("numbers %v\n%s", seqs, out)
			}
			manifest, err := exec.CommandContext(t.Context(), root+"/bin/gantry-manifest", root+"/0").Output()
			if err != nil || strings.Count(string(manifest), "<GANTRY_RECORD ") != n ||
				!strings.Contains(string(manifest), fmt.Sprintf("<GANTRY_MANIFEST 0.%d ", n)) {
				t.Errorf("manifest, error %v:\n%s", err, manifest)
			}
			got, sum := read(string(out) + string(manifest))
			if len(got) != n || sum.Damaged > 0 {
				t.Errorf("%d cases, summary %+v", len(got), sum)
			}
		})
	}
}

// TestFullDisk reports without numbers where the overlay's folder takes no files, rather than not at all.
func TestFullDisk(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			root, prelude := helper(t, sh)
			if err := os.RemoveAll(root + "/0/gantry/seq"); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), sh, "-c", prelude+"lava-test-case a --result pass").CombinedOutput()
			if want := "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>\n"; err != nil || string(out) != want {
				t.Errorf("%q, error %v", out, err)
			}
		})
	}
}
