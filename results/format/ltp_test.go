package format

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLTP has what recorded runs of LTP show, each shortened to the shape that matters: mails of the kernel test robot
// and of users (runltp, kirk), and a console with tests that no runner runs. The forms of the rest are those of LTP's
// sources: pan/ltp-pan.c, lib/tst_test.c, lib/tst_res.c, testcases/lib/tst_test.sh,
// open_posix_testsuite/bin/run-tests.sh, and kirk's ui.py.
func TestLTP(t *testing.T) {
	const timeout = "tst_test.c:1733: TINFO: LTP version: 20240524\n" +
		"tst_test.c:1617: TINFO: Timeout per run is 0h 00m 30s\n"
	summary := func(counts ...string) string {
		s := "\nSummary:\n"
		for i, name := range []string{"passed  ", "failed  ", "broken  ", "skipped ", "warnings"} {
			s += name + " " + counts[i] + "\n"
		}
		return s
	}
	for name, tc := range map[string]struct{ text, want string }{
		"runltp by the kernel test robot": {
			`Running tests.......
<<<test_start>>>
tag=ioprio_set03 stime=1687153195
cmdline="ioprio_set03"
contacts=""
analysis=exit
<<<test_output>>>
tst_test.c:1558: TINFO: Timeout per run is 0h 02m 30s
ioprio_set03.c:39: TFAIL: ioprio_set IOPRIO_CLASS_BE prio 8 should not work
ioprio_set03.c:50: TPASS: returned correct error for wrong prio: EINVAL (22)
` + summary("1", "1", "0", "0", "0") + `incrementing stop
<<<execution_status>>>
initiation_status="ok"
duration=0 termination_type=exited termination_id=1 corefile=no
cutime=0 cstime=3
<<<test_end>>>
<<<test_start>>>
tag=fcntl17 stime=1712915065
cmdline="fcntl17"
contacts=""
analysis=exit
<<<test_output>>>
fcntl17     0  TINFO  :  Enter preparation phase
fcntl17     1  TFAIL  :  fcntl17.c:429: Alarm expired, deadlock not detected
fcntl17     0  TWARN  :  fcntl17.c:430: You may need to kill child processes by hand
fcntl17     2  TPASS  :  Block 1 PASSED
<<<execution_status>>>
initiation_status="ok"
duration=10 termination_type=exited termination_id=5 corefile=no
cutime=0 cstime=0
<<<test_end>>>
<<<test_start>>>
tag=keyctl05 stime=1712915075
cmdline="keyctl05"
contacts=""
analysis=exit
<<<test_output>>>
../../../../include/lapi/keyctl.h:54: TCONF: syscall(219) __NR_keyctl not supported
<<<execution_status>>>
initiation_status="ok"
duration=0 termination_type=exited termination_id=32 corefile=no
cutime=0 cstime=0
<<<test_end>>>
<<<test_start>>>
tag=gone stime=1712915075
cmdline="gone"
contacts=""
analysis=exit
initiation_status="pan(x): execvp of 'gone' (tag gone) failed.  errno:2  No such file or directory"
<<<test_output>>>
<<<execution_status>>>
initiation_status="pan(x): execvp of 'gone' (tag gone) failed.  errno:2  No such file or directory"
duration=0 termination_type=exited termination_id=2 corefile=no
cutime=0 cstime=0
<<<test_end>>>
<<<test_start>>>
tag=stopped stime=1712915075
<<<test_output>>>
<<<execution_status>>>
initiation_status="ok"
duration=3 termination_type=driver_interrupt termination_id=2 corefile=no
<<<test_end>>>
INFO: ltp-pan reported some tests FAIL
LTP Version: 20240129-167-gb592cdd0d
`,
			`ioprio_set03: fail in 0 s "TFAIL: ioprio_set IOPRIO_CLASS_BE prio 8 should not work" @2
fcntl17: fail in 10 s "TFAIL: fcntl17.c:429: Alarm expired, deadlock not detected" @24
keyctl05: skip in 0 s "TCONF: syscall(219) __NR_keyctl not supported" @39
gone: fail in 0 s "initiation_status=\"pan(x): execvp of 'gone' (tag gone) failed.  errno:2  No such file or directory\"" @51
stopped: fail in 3 s "driver_interrupt 2" @63
`,
		},
		"kirk of 2025": {
			"Starting suite: syscalls-00\n----------------------------\n\n" +
				"\x1b[1;37minotify07: \x1b[0m\x1b[1;32mpass\x1b[0m | \x1b[1;33mtainted\x1b[0m  (0.707s)\n" +
				"\x1b[1;37mfanotify15: \x1b[0m\x1b[1;33mskip\x1b[0m | \x1b[1;33mtainted\x1b[0m  (12.774s)\n" +
				"\x1b[1;37mfanotify21: \x1b[0m\x1b[1;31mfail\x1b[0m  (24.115s)\n" + strings.Repeat(" ", 128) +
				"\nExecution time: 7m 42s\n\n\tSuite:       syscalls-00\n\tTotal runs:  5\n\tRuntime:     7m 31s\n" +
				"\tPassed:      2326\n",
			`syscalls-00/inotify07: pass in 0.707 s @4
syscalls-00/fanotify15: skip in 12.774 s @5
syscalls-00/fanotify21: fail in 24.115 s "fail" @6
syscalls-00/2 more tests: missing "5 tests were run, 3 results seen" @11
`,
		},
		"kirk, parallel": {
			"Starting suite: math\n" + strings.Repeat(" ", 64) + "\r\n*** 1 background test(s) ***\n- abs01" + strings.Repeat(
				" ", 32,
			) +
				"\n\x1b[1A\x1b[1A\x1b[1Aabs01: \x1b[1;32mpass\x1b[0m  (0.004s)                \n" + strings.Repeat(
				" ", 64,
			) + "\r\nTotal Run: 1\n",
			"math/abs01: pass in 0.004 s @5\n",
		},
		"kirk -v": {
			"Starting suite: math\n\n===== abs01 =====\ncommand: abs01 \nabs01       1  TPASS  :  Test passed\n\nSummary:\n" +
				"passed    1\nfailed    0\nbroken    0\nskipped   0\nwarnings  0\n\nDuration: 0.004s\n\n" +
				"\n===== slow01 =====\ncommand: slow01 -x\n" + timeout + "Test timed out\n" + summary(
				"0", "0", "1", "0", "0",
			) + "\nDuration: 1m 2s\n\n" +
				"\n===== cut01 =====\ncommand: cut01\n" + timeout + "cut01.c:1: TPASS: x\n",
			`math/abs01: pass in 0.004 s @3
math/slow01: fail in 62 s "timed out" @17
math/cut01: missing "it began and did not end" @33
math/rest of the tests: missing "their number was not said: results may be missing" @1
`,
		},
		"ltp-pan -l": {
			"startup='Tue Jan  1 00:00:00 2026'\ntag=abort01 stime=1 dur=2 exit=exited stat=0 core=no cu=1 cs=2\n" +
				"tag=crash01 stime=1 dur=0 exit=signaled stat=11 core=yes cu=1 cs=2\n" +
				"tag=conf01 stime=1 dur=0 exit=exited stat=32 core=no cu=0 cs=0\n",
			"abort01: pass in 2 s @2\ncrash01: fail in 0 s \"signaled 11\" @3\nconf01: skip in 0 s @4\n",
		},
		"runltp -p -l, cut": {
			"Testcase                                           Result     Exit Value\n" +
				"--------                                           ------     ----------\n" +
				"abort01                                            PASS       0\n",
			"abort01: pass @3\nrest of the tests: missing \"their number was not said: results may be missing\" @1\n",
		},
		"tests by themselves": {
			"tst_memutils.c:152: TINFO: oom_score_adj does not exist, skipping the adjustment\n" + timeout +
				"abort01.c:51: TFAIL: Child exited with 139, expected SIGIOT\n" + summary("0", "0", "0", "0", "0") +
				"[227.780803 0:282 axfs::root:433] [AxError::IsADirectory]\n" +
				timeout +
				"accept03.c:48: TPASS: accept() on file : ENOTSOCK (88)\ntst_fd.c:106: TCONF: epoll_create(): ENOSYS (38)\n" +
				summary("1", "0", "0", "1", "0") +
				"tst_test.c:1526: TINFO: Timeout per run is 0h 00m 30s\nmountns04.c:38: TPASS: unbindable mount passed\n" +
				"tst_device.c:395: TWARN: umount('B') failed with EINVAL\n" +
				"mountns.h:39: TWARN: umount(B) failed: EINVAL (22)\n" + summary("1", "0", "0", "0", "2") +
				timeout + "crash01.c:1: TPASS: one\n" +
				timeout +
				"fs01.c:1: TPASS: on ext2\ntst_test.c:1617: TINFO: Timeout per run is 0h 00m 30s\nfs01.c:1: TPASS: on ext3\n" +
				summary("2", "0", "0", "0", "0"),
			`abort01: fail "TFAIL: Child exited with 139, expected SIGIOT" @1
accept03: pass @13
mountns04: fail "TWARN: umount('B') failed with EINVAL" @24
crash01: missing "it began and did not end" @35
fs01: pass @38
`,
		},
		"tests by themselves, whose name is not said": {
			"tst_buffers.c:57: TINFO: Test is using guarded buffers\ntst_device.c:354: TBROK: Failed to acquire device\n" +
				summary("0", "0", "1", "0", "0") +
				"tst_kconfig.c:207: TBROK: Cannot parse kernel .config\n" +
				timeout + "../../../../include/lapi/keyctl.h:29: TCONF: syscall(217) __NR_add_key not supported on your arch\n" +
				summary("0", "0", "0", "1", "0") +
				"tst_cmd.c:257: TCONF: Couldn't find 'useradd' in $PATH\n" +
				timeout + summary("0", "0", "0", "0", "0"),
			`test-1: fail "TBROK: Failed to acquire device" @1
test-2: fail "TBROK: Cannot parse kernel .config" @10
test-3: skip "TCONF: syscall(217) __NR_add_key not supported on your arch" @11
test-4: skip "TCONF: Couldn't find 'useradd' in $PATH" @21
test-5: missing "it reported no result" @22
`,
		},
		"the old library and the shell's": {
			"mmap01      0  TINFO  :  hello\nmmap01      1  TPASS  :  Functionality of mmap() successful\n" +
				"fchown03    1  TBROK  :  tst_tmpdir.c:264: mkdtemp failed: errno=EACCES(13): Permission denied\n" +
				"fchown03    2  TBROK  :  tst_tmpdir.c:264: Remaining cases broken\n" +
				"quota01     1  TCONF  :  quota01.c:1: Remaining cases not appropriate for configuration\n" +
				timeout + "new01.c:1: TPASS: x\n" + summary("1", "0", "0", "0", "0") +
				"df01 1 TINFO: timeout per run is 0h 5m 0s\n/__w/ltp/ltp/lib/tst_device.c:139: TINFO: No free devices found\n" +
				"df01 1 TPASS: 'df' passed.\ndf01 2 TCONF: 'df -x' not supported\n" + summary("1", "0", "0", "1", "0") +
				"cpuset_base_ops 1 TPASS: cpuset.cpus: Get the expected string\n" +
				"cpuset_base_ops 65 TFAIL: cpuset.mems: Expected string - \"0-2\"\n",
			`mmap01: pass @1
fchown03: fail "TBROK: tst_tmpdir.c:264: mkdtemp failed: errno=EACCES(13): Permission denied" @3
quota01: skip "TCONF: quota01.c:1: Remaining cases not appropriate for configuration" @5
new01: pass @6
df01: pass @16
cpuset_base_ops: fail "TFAIL: cpuset.mems: Expected string - \"0-2\"" @27
`,
		},
		"Open POSIX": {
			"conformance/interfaces/fork/fork_1-1: execution: PASS\n" +
				"conformance/interfaces/fork/fork_2-1: execution: UNRESOLVED: Output: \nwhat it said\n" +
				"conformance/interfaces/fork/fork_3-1: execution: UNTESTED: Output: \n" +
				"fork_4-1: execution: SKIPPED (test not present)\n",
			`conformance/interfaces/fork/fork_1-1: pass @1
conformance/interfaces/fork/fork_2-1: fail "UNRESOLVED" @2
conformance/interfaces/fork/fork_3-1: skip "UNTESTED" @4
fork_4-1: skip "SKIPPED" @5
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, show(t, "ltp", tc.text)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestNames wants names that differ, whatever the tests call themselves.
func TestNames(t *testing.T) {
	const text = "1..6\nok 1 same\nok 2 same\nok 3 same (2)\nok 4 same (2)\nok 5 same\nok 6 other\n"
	const want = "same: pass @2\nsame (2): pass @3\nsame (2) (2): pass @4\nsame (2) (3): pass @5\nsame (3): pass @6\n" +
		"other: pass @7\n"
	if d := cmp.Diff(want, show(t, "tap", text)); d != "" {
		t.Error(d)
	}
}
