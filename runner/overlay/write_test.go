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

// TestKilledRun is a run killed from outside: its end is told, and the runs after it go on.
func TestKilledRun(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Stages: []Stage{{Definitions: []Definition{
				{Name: "killed", Steps: []string{"lava-test-case a --result pass", "kill -9 $$", "lava-test-case b --result pass"}},
				{Name: "next", Index: 1, Steps: []string{"lava-test-case c --result pass"}},
			}}}}
			out := runStage(t, sh, s)
			got, sum := read(out)
			want := "0_killed/a=pass lava/0_killed=fail 1_next/c=pass lava/1_next=pass"
			if strings.Join(got, " ") != want || len(sum.Early) != 1 || !strings.Contains(sum.Early[0], "137") {
				t.Errorf("cases %q, summary %+v\n%s", got, sum, out)
			}
		})
	}
}

// TestInstallFails runs nothing when an install step fails, and says so.
func TestInstallFails(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Stages: []Stage{{Definitions: []Definition{
				{Name: "a", Install: Install{Steps: []string{"false"}}, Steps: []string{"lava-test-case a --result pass"}},
			}}}}
			out := runStage(t, sh, s)
			got, sum := read(out)
			if len(got) > 0 || !sum.InstallFail || !sum.Exit || !sum.Manifest {
				t.Errorf("cases %q, summary %+v\n%s", got, sum, out)
			}
			s.Stages[0].Definitions[0].Skip = []string{SkipSteps}
			if got, sum := read(runStage(t, sh, s)); len(got) != 2 || sum.InstallFail {
				t.Errorf("with skip_install: cases %q, summary %+v", got, sum)
			}
		})
	}
}

// TestMultinode answers a request as the runner does, by typing.
func TestMultinode(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			_, prelude := helper(t, sh)
			t.Cleanup(func() { _ = os.Remove("/tmp/lava_multi_node_cache.txt") })
			cmd := exec.CommandContext(t.Context(), sh, "-c", prelude+
				"lava-send up ip=1; lava-sync go && lava-wait up && cat /tmp/lava_multi_node_cache.txt; "+
				"lava-wait-all x || echo refused")
			cmd.Stdin = strings.NewReader(
				"<LAVA_SYNC_COMPLETE>\n<LAVA_WAIT_COMPLETE board1:ip=10.0.0.1 board1:k=v>\n<LAVA_WAIT_ALL_COMPLETE nack>\n",
			)
			out, err := cmd.CombinedOutput()
			want := trailed(1, "<LAVA_MULTI_NODE> <LAVA_SEND up ip=1>") + trailed(2, "<LAVA_MULTI_NODE> <LAVA_SYNC go>") +
				trailed(3, "<LAVA_MULTI_NODE> <LAVA_WAIT up>") + "ip=10.0.0.1\nk=v\n" + trailed(
				4, "<LAVA_MULTI_NODE> <LAVA_WAIT_ALL x>",
			) + "refused\n"
			if err != nil || string(out) != want {
				t.Errorf("error %v, output:\n%s\nwant:\n%s", err, out, want)
			}
		})
	}
}

// TestBackgroundProcess starts one, and stops it with what it started.
func TestBackgroundProcess(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			_, prelude := helper(t, sh)
			pipe := filepath.Join(t.TempDir(), "pid")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), sh, "-c", prelude+
				"lava-background-process-start one --cmd 'echo begun; sleep 300 & echo $! >"+pipe+
				"; wait'; read -r pid <"+pipe+
				"; echo pid=$pid; lava-background-process-stop one; lava-background-process-stop two").CombinedOutput()
			m := regexp.MustCompile(`pid=(\d+)`).FindSubmatch(out)
			if m == nil || !strings.Contains(string(out), "begun") || err == nil {
				t.Fatalf("error %v, output %q", err, out)
			}
			pid, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				return // it has ended, and was waited for
			}
			defer unix.Close(fd)
			if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000); n != 1 {
				_ = unix.Kill(pid, unix.SIGKILL)
				t.Errorf("its child goes on (%v)", err)
			}
		})
	}
}

// TestFacts has the helpers say what the spec says of the device.
func TestFacts(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := &Spec{
				Self: "board1", Group: []Member{{"board1", "client"}, {"board2", "server"}, {"board3", "server"}},
				Target: Target{
					IP: "10.0.0.2", MAC: "52:54:00:12:34:56", Storage: []Var{{"SATA", "/dev/sda"}, {"USB", "/dev/sdb"}},
					ProbeIP: "10.0.0.9", ProbeChannel: "3",
				},
				Stages: []Stage{{Definitions: []Definition{{Name: "facts", Steps: []string{
					"{ set +x; } 2>/dev/null", "echo begin", "lava-target-ip", "lava-target-mac", "lava-target-storage",
					"lava-target-storage USB", "lava-probe-ip", "lava-probe-channel",
					"lava-self", "lava-role", "lava-role list", "lava-group", "lava-group server", "lava-echo-ipv4 lo",
					"test -n \"$(lava-os-build)\"",
					"lava-test-reference ref --result pass --reference http://host/a", "lava-test-feedback --namespace ns",
					"lava-test-event 'a b'", "echo end",
				}}}}},
			}
			out := runStage(t, sh, s)
			_, said, _ := strings.Cut(out, "begin\n")
			said = regexp.MustCompile(`(?m)^<(LAVA|GANTRY)_.*\n`).ReplaceAllString(said, "")
			said, _, _ = strings.Cut(said, "end\n")
			want := "10.0.0.2\n52:54:00:12:34:56\nSATA /dev/sda\nUSB /dev/sdb\n/dev/sdb\n10.0.0.9\n3\n" +
				"board1\nclient\nclient\nserver\nboard1\tclient\nboard2\tserver\nboard3\tserver\nboard2\nboard3\n127.0.0.1\n"
			if said != want {
				t.Errorf("%q, want %q\n%s", said, want, out)
			}
			if got, sum := read(out); strings.Join(got, " ") != "0_facts/ref=pass lava/0_facts=pass" || !sum.Complete() {
				t.Errorf("cases %q, summary %+v", got, sum)
			}
		})
	}
}

// TestResultsDevice gives each record to a device too, from which alone the results can be read.
func TestResultsDevice(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			if name == "mksh" {
				t.Skip("mksh leaves the device alone")
			}
			pipe := filepath.Join(t.TempDir(), "port")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			port, err := os.OpenFile(pipe, os.O_RDWR, 0) // never ends, and never blocks the helpers
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = port.Close() }()
			s := smoke()
			s.ResultsDev = pipe
			console, _ := read(runStage(t, sh, s))
			device := ""
			for b := make([]byte, 1<<16); !strings.Contains(device, "MANIFEST 0.16 "); { // the copies may come after the end
				n, err := port.Read(b)
				if err != nil {
					t.Fatal(err)
				}
				device += string(b[:n])
			}
			for line := range strings.Lines(device) {
				if line != "\n" && !strings.HasPrefix(line, "@tok <") {
					t.Errorf("the device has %q", line)
				}
			}
			if got, sum := read(device); sum.Records != 16 ||
				strings.Join(got[:len(console)], " ") != strings.Join(console, " ") {
				t.Errorf("the device has %q, the console %q; summary %+v", got, console, sum)
			}
		})
	}
}

// TestResultsFile gives each record to a file of the overlay too, from which alone the results can be read.
func TestResultsFile(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := smoke()
			s.ResultsFile = true
			console, _ := read(runStage(t, sh, s))
			b, err := os.ReadFile(s.ResultsPath())
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n@tok <GANTRY_"); n != 17 || strings.Count(string(b), "\n") != 2*n {
				t.Errorf("%d lines of 16 records and a manifest:\n%s", n, b)
			}
			if got, sum := read(string(b)); sum.Records != 16 ||
				strings.Join(got[:len(console)], " ") != strings.Join(console, " ") {
				t.Errorf("the file has %q, the console %q; summary %+v", got, console, sum)
			}
		})
	}
}

// TestBlockedDevice has a device that takes nothing: the stage ends as without it, and one writer at most is left
// waiting for each that could open the device.
func TestBlockedDevice(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "port")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			s := smoke()
			want, _ := read(runStage(t, sh, s))
			s.ResultsDev = pipe // nobody reads: opening it waits for ever
			got, sum := read(runStage(t, sh, s))
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("with the device %q, without %q; summary %+v", got, want, sum)
			}
			port, err := os.OpenFile(pipe, os.O_RDONLY|unix.O_NONBLOCK, 0) // lets the writers go
			if err != nil {
				t.Fatal(err)
			}
			_ = port.Close()
		})
	}
}

// TestNoDevice runs with a device that is not there, or is a mere file: nothing is written, nothing is made.
func TestNoDevice(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, dev := range []string{file, filepath.Join(dir, "none")} {
				s := smoke()
				s.ResultsDev = dev
				if _, sum := read(runStage(t, sh, s)); sum.Records != 16 || !sum.Manifest {
					t.Errorf("%s: %+v", dev, sum)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("%v %v", entries, err)
			}
			if b, err := os.ReadFile(file); err != nil || len(b) > 0 {
				t.Errorf("%q %v", b, err)
			}
		})
	}
}
