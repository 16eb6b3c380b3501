package overlay

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

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
			n, err := 0, error(unix.EINTR)
			for errors.Is(err, unix.EINTR) { // a signal of the runtime ends a poll
				n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 60_000)
			}
			if n != 1 {
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
