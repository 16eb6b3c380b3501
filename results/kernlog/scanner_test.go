package kernlog_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog"
)

// scan runs a whole log through a Scanner in one write.
func scan(log string) []results.Finding {
	return scanCut(log, nil)
}

// scanCut writes the log in pieces that end at the given offsets.
func scanCut(log string, cuts []int) []results.Finding {
	var found []results.Finding
	s := kernlog.New(kernlog.Options{Found: func(f results.Finding) { found = append(found, f) }})
	at := 0
	for _, c := range cuts {
		if c > at && c < len(log) {
			_, _ = s.Write([]byte(log[at:c]))
			at = c
		}
	}
	_, _ = s.Write([]byte(log[at:]))
	s.Flush()
	return found
}

// brief is what most tests compare.
func brief(found []results.Finding) []string {
	var b []string
	for _, f := range found {
		s := fmt.Sprintf("%d %s %s", f.Line, f.Kind, f.Title)
		if f.Fatal {
			s += " (fatal)"
		}
		if f.Emulation {
			s += " (emulation)"
		}
		b = append(b, s)
	}
	return b
}

// warn is a WARN_ON by the frobnicator's driver, as x86 prints it.
const warn = `[   12.000001][ T77] ------------[ cut here ]------------
[   12.000002][ T77] WARNING: CPU: 1 PID: 77 at drivers/misc/frob.c:42 frob_check+0x1a/0x30
[   12.000003][ T77] Modules linked in:
[   12.000004][ T77] CPU: 1 PID: 77 Comm: cat Not tainted 6.1.0 #1
[   12.000005][ T77] RIP: 0010:frob_check+0x1a/0x30
[   12.000006][ T77] Call Trace:
[   12.000007][ T77]  <TASK>
[   12.000008][ T77]  frob_open+0x55/0x90
[   12.000009][ T77]  do_syscall_64+0x3a/0x90
[   12.000010][ T77]  </TASK>
[   12.000011][ T77] ---[ end trace 0000000000000000 ]---
`

// oops is a null pointer dereference and the panic it ends in, without time stamps.
const oops = `BUG: kernel NULL pointer dereference, address: 0000000000000008
#PF: supervisor read access in kernel mode
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 1 Comm: init Not tainted 6.1.0 #1
RIP: 0010:frob_read.cold+0x3f/0x220
Call Trace:
 <TASK>
 vfs_read+0x9d/0x2b0
 </TASK>
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception
---[ end Kernel panic - not syncing: Fatal exception ]---
`

func TestScanner(t *testing.T) {
	for name, c := range map[string]struct {
		log  string
		want []string
	}{
		"clean": {
			"[    0.000000] Linux version 6.1\n[    1.0] hello\nok 1 - a BUG in my test: fixed\n", nil,
		},
		"warning":          {warn, []string{"2 warning WARNING in frob_check"}},
		"carriage returns": {strings.ReplaceAll(warn, "\n", "\r\r\n"), []string{"2 warning WARNING in frob_check"}},
		"colors": {
			strings.ReplaceAll(warn, "WARNING: CPU", "\x1b[31mWARN\x1b[1mING: \x1b[0mCPU"),
			[]string{"2 warning WARNING in frob_check"},
		},
		"levels": {strings.ReplaceAll(warn, "[ ", "<4>[ "), []string{"2 warning WARNING in frob_check"}},
		"syslog": {
			strings.ReplaceAll(warn, "[   12", "Jan  2 03:04:05 host kernel: [   12"),
			[]string{"2 warning WARNING in frob_check"},
		},
		"after user text": {
			strings.Replace(warn, "[   12.000002]", "login: [   12.000002]", 1), []string{"2 warning WARNING in frob_check"},
		},
		"oops and its panic": {
			oops, []string{"1 null-deref BUG: unable to handle kernel NULL pointer dereference in frob_read (fatal)"},
		},
		"warning becomes a panic": {
			strings.Replace(
				warn, "[   12.000011][ T77] ---[ end",
				"[   12.000011][ T77] Kernel panic - not syncing: panic_on_warn set ...\n[   12.000012][ T77] ---[ end", 1,
			),
			[]string{"2 warning WARNING in frob_check (fatal)"},
		},
		"said twice": {warn + warn, []string{"2 warning WARNING in frob_check"}},
		"emulation": {
			"[    0.5] x\n[    0.500000] Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug\n",
			[]string{"2 panic kernel panic: IO-APIC + timer doesn't work! (fatal) (emulation)"},
		},
		"no init": {
			"[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
			[]string{"1 panic kernel panic: VFS: Unable to mount root fs on unknown-block(NUM,NUM) (fatal)"},
		},
		"userspace words": {
			"WARNING: apt does not have a stable CLI\nINFO: done\nE: BUG: none\npanic: runtime error: index out of range\n\n" +
				"goroutine 1 [running]:\n",
			nil,
		},
		"segfault of a program": {
			"[    9.000000] traps: a.out[42] general protection fault ip:401126 sp:7ffd error:0 in a.out[401000+1000]\n", nil,
		},
		"oom": {
			"[    9.000000][ T1] Out of memory: Killed process 4242 (hog) total-vm:1kB\n",
			[]string{"1 oom Out of memory: Killed process hog"},
		},
		"freebsd": {
			"panic: vm_fault: fault on nofault entry, addr: 0xfffffe0012345678\ncpuid = 1\ntime = 1500000000\n" +
				"KDB: stack backtrace:\n",
			[]string{"1 other panic: vm_fault: fault on nofault entry, addr: ADDR (fatal)"},
		},
		"zephyr": {
			"[00:00:00.010,000] <err> os: >>> ZEPHYR FATAL ERROR 0: CPU exception on CPU 0\n",
			[]string{"1 other ZEPHYR FATAL ERROR: CPU exception (fatal)"},
		},
		"hung task": {hung, []string{"1 hung-task INFO: task hung in frob_idle"}},
		"two cpus at once": {
			interleaved, []string{"1 warning WARNING in frob_check", "2 warning WARNING in snarf_check"},
		},
		"hard lockup": {
			"[    9.000001][    C0] watchdog: Watchdog detected hard LOCKUP on cpu 0\n" +
				"[    9.000002][    C0] RIP: 0010:frob_spin+0x1/0x2\n[    9.000003][    C0] Call Trace:\n" +
				"[    9.000004][    C0]  frob_work+0x1/0x2\n[    9.000005][    C0]  process_one_work+0x1/0x2\n" +
				"[    9.000006][    C0] Kernel panic - not syncing: Hard LOCKUP\n",
			[]string{"1 hard-lockup BUG: hard lockup in frob_work (fatal)"},
		},
		"slub": {
			"[    9.000001][   T9] BUG frob_cache (Not tainted): Poison overwritten\n",
			[]string{"1 bug BUG: Poison overwritten"},
		},
		"arm": {
			arm, []string{"2 null-deref BUG: unable to handle kernel NULL pointer dereference in frob_probe (fatal)"},
		},
		"rust": {
			rust, []string{"1 bug index out of bounds in <frob::Frob as kernel::File>::open (fatal)"},
		},
		"first boot":               {boot, nil},
		"unexpected reboot":        {boot + boot, []string{"8 reboot unexpected kernel reboot (fatal)"}},
		"reset in the boot loader": {uboot + uboot, []string{"5 reboot unexpected kernel reboot (fatal)"}},
		"ordered reboot":           {boot + "[    9.000000] reboot: Restarting system\n" + boot, nil},
		"reboot after a panic": {
			boot + oops + boot,
			[]string{"8 null-deref BUG: unable to handle kernel NULL pointer dereference in frob_read (fatal)"},
		},
		"dmesg printed by a test": {kernel(0) + "# dmesg\n" + kernel(0), nil},
		"journal printed by a test": {
			kernel(0) + journal + strings.Repeat("[   50.000001] a\n[   51.000002] b\n[   52.000003] c\n[   53.000004] d\n", 9),
			nil,
		},
		"reboot without firmware": {kernel(0) + kernel(1), []string{"19 reboot unexpected kernel reboot (fatal)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, brief(scan(c.log))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// kernel is a boot without firmware messages, whose time stamps differ from those of another n.
func kernel(n int) string {
	var b strings.Builder
	b.WriteString(
		"[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd083]\n[    0.000000] Linux version 6.1.0\n",
	)
	for i := range 16 {
		fmt.Fprintf(&b, "[    %d.%06d] driver %d is ready\n", i+1, 1000*i+n, i)
	}
	return b.String()
}

const (
	boot = `SeaBIOS (version 1.16.2-1)
Booting from ROM...
Decompressing Linux... Parsing ELF... done.
Booting the kernel.
[    0.000000] Linux version 6.1.0 (me@here) #1 SMP
[    1.234567] Run /init as init process
hello from init
`
	uboot = `U-Boot SPL 2023.01 (Jan 01 2023 - 00:00:00 +0000)
U-Boot 2023.01 (Jan 01 2023 - 00:00:00 +0000)
Hit any key to stop autoboot:  0
Starting kernel ...
`
	// journal is the beginning of a boot as journalctl -k shows it.
	journal = `Jan 02 03:04:05 host kernel: Booting Linux on physical CPU 0x0000000000 [0x410fd083]
Jan 02 03:04:05 host kernel: Linux version 6.1.0
`
	hung = `[  243.000001][   T31] INFO: task frobd:101 blocked for more than 143 seconds.
[  243.000002][   T31]       Not tainted 6.1.0 #1
[  243.000003][   T31] task:frobd state:D stack:26000 pid:101 ppid:1 flags:0x00004000
[  243.000004][   T31] Call Trace:
[  243.000005][   T31]  __schedule+0x1000/0x2000
[  243.000006][   T31]  schedule+0x9b/0x160
[  243.000007][   T31]  ? frob_guess+0x1/0x2
[  243.000008][   T31]  frob_idle+0x50/0x90
[  243.000009][   T31]  frob_thread+0x1/0x2
`
	interleaved = `[   12.000001][ T77] WARNING: CPU: 1 PID: 77 at drivers/misc/frob.c:42 frob_check+0x1a/0x30
[   12.000001][ T78] WARNING: CPU: 0 PID: 78 at drivers/misc/snarf.c:7 snarf_check+0x1a/0x30
[   12.000002][ T77] RIP: 0010:frob_check+0x1a/0x30
[   12.000002][ T78] RIP: 0010:snarf_check+0x1a/0x30
[   12.000003][ T77] Call Trace:
[   12.000003][ T78] Call Trace:
[   12.000004][ T78]  snarf_open+0x1/0x2
[   12.000004][ T77]  frob_open+0x1/0x2
`
)

const (
	// arm is 32-bit Arm's: no prefix, and its own form of a trace.
	arm = `8<--- cut here ---
Unable to handle kernel NULL pointer dereference at virtual address 00000004
Internal error: Oops: 5 [#1] SMP ARM
CPU: 0 PID: 1 Comm: init Not tainted 6.1.0 #1
PC is at frob_probe+0x10/0x40
LR is at platform_probe+0x5c/0xb8
Backtrace:
 frob_probe from platform_probe+0x5c/0xb8
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception
`
	rust = `[    9.000001][   T9] rust_kernel: panicked at drivers/frob.rs:4:5:
[    9.000001][   T9] index out of bounds
[    9.000002][   T9] kernel BUG at rust/helpers/bug.c:7!
[    9.000003][   T9] Oops: invalid opcode: 0000 [#1] PREEMPT SMP
[    9.000004][   T9] RIP: 0010:rust_helper_BUG+0x8/0x10
[    9.000005][   T9] Call Trace:
[    9.000006][   T9]  _RNvNtCsabc_7__rustc17rust_begin_unwind+0x1/0x2
[    9.000007][   T9]  _RNvXs_CsabcdefghijK_4frobNtB4_4FrobNtCsabcdefghijK_6kernel4File4open+0x1/0x2
`
)

// TestFatalAtOnce checks that what is fatal is known with its first line, and complete later.
func TestFatalAtOnce(t *testing.T) {
	var early, late []results.Finding
	s := kernlog.New(kernlog.Options{
		Fatal: func(f results.Finding) { early = append(early, f) },
		Found: func(f results.Finding) { late = append(late, f) },
	})
	first, rest, _ := strings.Cut(oops, "\n")
	_, _ = s.Write([]byte(first + "\n"))
	if len(early) != 1 || !s.Fatal() || early[0].Kind != results.KindNullDeref {
		t.Fatalf("after the first line: fatal %v, %v", s.Fatal(), early)
	}
	_, _ = s.Write([]byte(rest))
	if len(late) != 0 {
		t.Fatalf("complete before the console was quiet: %v", late)
	}
	s.Flush()
	if len(late) != 1 || len(early) != 1 {
		t.Fatalf("%d early, %d late", len(early), len(late))
	}
}

// TestDuring checks that a finding is of the case during which it began, though its title is known later, and that a
// report ends by itself when the console goes on.
func TestDuring(t *testing.T) {
	now := kernlog.During{Section: "boot"}
	var found []results.Finding
	s := kernlog.New(kernlog.Options{
		During: func(int) kernlog.During { return now },
		Found:  func(f results.Finding) { found = append(found, f) },
	})
	_, _ = s.Write([]byte("ok 1 - first\n"))
	now = kernlog.During{Section: "test", Suite: "0_smoke", Case: "open"}
	_, _ = s.Write([]byte(warn))
	now.Case = "close"
	if !s.Pending() || len(found) != 0 {
		t.Fatalf("pending %v, found %v", s.Pending(), found)
	}
	_, _ = s.Write([]byte(strings.Repeat("ok 2 - second\n", 100)))
	if s.Pending() || len(found) != 1 {
		t.Fatalf("after 100 lines of others: pending %v, found %v", s.Pending(), found)
	}
	if f := found[0]; f.Section != "test" || f.Suite != "0_smoke" || f.Case != "open" || f.Line != 3 {
		t.Errorf("found %+v", f)
	}
}

// TestCuts checks that findings do not depend on how the stream is cut.
func TestCuts(t *testing.T) {
	parts := []string{
		warn, oops, hung, interleaved, boot, uboot, kernel(0), kernel(1), "\n", "\r\n", "\x1b[1m", strings.Repeat("x", 5000),
		strings.Repeat("y", 4090) + "Kernel panic - not syncing: zzz", "[   12.000001][ T77] ",
	}
	rapid.Check(t, func(t *rapid.T) {
		log := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 8).Draw(t, "parts"), "")
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(log)), 0, 50).Draw(t, "cuts")
		at := 0
		for i := range cuts { // ascending, mostly small steps
			at += cuts[i] % 997
			cuts[i] = at
		}
		if diff := cmp.Diff(scan(log), scanCut(log, cuts)); diff != "" {
			t.Fatalf("cut differently (-whole +cut):\n%s", diff)
		}
	})
}

// TestBoundedMemory checks that streams made to be kept are not.
func TestBoundedMemory(t *testing.T) {
	for name, chunk := range map[string]string{
		"a line without end":      strings.Repeat("BUG: ", 13000),
		"reports without end":     strings.Repeat("[   12.000001][ T77] BUG: KASAN: wild in x+0x1/0x2\n", 1200),
		"a report without end":    strings.Repeat("[   12.000001][ T77]  "+strings.Repeat("a", 500)+"+0x1/0x2\n", 100),
		"fatal reports":           strings.Repeat("[   12.000001][ T1] general protection fault: 0\n\x1b[1m", 900),
		"escapes without end":     strings.Repeat("\x1b]0;", 16000),
		"a title that never ends": strings.Repeat("[   12.000001][ T77] ---[ end trace 0 ]---\n", 1400),
		"time stamps in one line": strings.Repeat("[   12.000001][ T77] BUG: ", 3000),
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			s := kernlog.New(kernlog.Options{})
			_, _ = s.Write([]byte("[   12.000001][ T77] BUG: KASAN: use-after-free in x+0x1/0x2\n"))
			for range 32 {
				_, _ = s.Write([]byte(chunk))
			}
			if after := heap(); after > before+1<<20 {
				t.Errorf("%d KiB in use after %d KiB of stream", (after-before)>>10, 32*len(chunk)>>10)
			}
			runtime.KeepAlive(s)
		})
	}
}

// heap is how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{warn, oops, hung, interleaved, boot, uboot, kernel(0) + kernel(1)} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, log string, step int) {
		whole := scan(log)
		var cuts []int
		if step > 0 {
			for at := step; at < len(log); at += step {
				cuts = append(cuts, at)
			}
		}
		if diff := cmp.Diff(whole, scanCut(log, cuts)); diff != "" {
			t.Errorf("cut every %d bytes (-whole +cut):\n%s", step, diff)
		}
		for i, f := range whole {
			if f.Line < 1 || f.Line > strings.Count(log, "\n")+1 || f.Kind == "" || f.Title == "" ||
				i > 0 && f.Line < whole[i-1].Line {
				t.Errorf("finding %d: %+v", i, f)
			}
		}
	})
}

func BenchmarkClean(b *testing.B) {
	log := []byte(strings.Repeat(
		"[    1.234567][    T1] usb 1-1: new high-speed USB device number 2 using xhci_hcd\nok 42 - a test passes\n", 10000,
	))
	b.SetBytes(int64(len(log)))
	s := kernlog.New(kernlog.Options{})
	for b.Loop() {
		_, _ = s.Write(log)
	}
}
