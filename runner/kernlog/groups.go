package kernlog

import "regexp"

// escape is the trigger bit of a terminal escape.
const escape = uint64(1) << 63

// headers are the bits of groups; the others are boot marks and escape.
var headers = uint64(1)<<len(groups) - 1

// triggers finds the words of all groups and the boot marks.
var triggers = func() *automaton {
	words, bits := []string{"\x1b"}, []uint64{escape}
	for i, g := range groups {
		for _, w := range g.words {
			words, bits = append(words, w), append(bits, 1<<i)
		}
	}
	for _, b := range bootWords {
		words, bits = append(words, b.word), append(bits, b.mark)
	}
	return newAutomaton(words, bits)
}()

// ignoring compiles what a group ignores.
func ignoring(patterns ...string) *regexp.Regexp {
	all := ""
	for i, p := range patterns {
		if i > 0 {
			all += "|"
		}
		all += "(?:" + p + ")"
	}
	return regexp.MustCompile(all)
}

// groups are tried in this order.
var groups = []group{
	{
		words: []string{"BUG:"}, kind: KindBug, generic: true, rules: bugRules,
		ignore: ignoring(`DEBUG:`, `xlog_status:`, `BUG: no syscalls can create resource`),
	},
	{
		words: []string{"WARNING:"}, kind: KindWarning, generic: true, rules: warningRules,
		ignore: ignoring(`WARNING: /etc/ssh/`, `workqueue cpumask: online intersect`, `[Tt]he mand mount option`,
			`WARNING: Unsupported flag value`, `Unprivileged eBPF is enabled`, `missed to adjust virtual screen size`,
			`WARNING: See http`, `WARNING: kernel not compiled with`, `EXT4-[Ff][Ss](?: \(.*\))?:`, `XFS \(\w+\): WARNING`,
			`uses (?:deprecated v2 capabilities|wireless extensions)`, `post-quantum key exchange`,
			`WARNING: Spectre v2 mitigation leaves CPU vulnerable`),
	},
	{
		words: []string{"INFO:"}, kind: KindWarning, generic: true, rules: infoRules,
		ignore: ignoring(`lockdep is turned off`, `Stall ended before state dump start`, `INFO: NMI handler`,
			`recovery required on readonly filesystem`, `(?:handler|interrupt).*took too long`, `_INFO:`, `\w:INFO:`,
			`INFO: sys_.* is not present in`, `INFO: no syscalls can create resource`),
	},
	{words: []string{"Unable to handle kernel"}, kind: KindOops, effect: afterAny, fatal: true, rules: armFaultRules},
	{
		words: []string{"general protection fault"}, kind: KindGPF, effect: afterAny, fatal: true, rules: protectionRules,
		ignore: ignoring(`general protection fault .*error:\d+ in `, `traps: `),
	},
	{words: []string{"Kernel panic"}, kind: KindPanic, effect: afterPanic, fatal: true, inside: true, rules: panicRules},
	{words: []string{"kernel BUG", "Kernel BUG"}, kind: KindBug, effect: afterAny, fatal: true, rules: kernelBugRules},
	{words: []string{"rust_kernel: panicked"}, kind: KindBug, fatal: true, rules: rustRules},
	{words: []string{"BUG kmalloc-", "BUG "}, kind: KindBug, rules: slubRules},
	{words: []string{"UBSAN:"}, kind: KindUBSAN, rules: ubsanRules},
	{words: []string{"PANIC: double fault"}, kind: KindPanic, effect: afterAny, fatal: true, inside: true, rules: doubleFaultRules},
	{words: []string{"invalid opcode:"}, kind: KindOops, effect: afterAny, fatal: true, inside: true, rules: opcodeRules},
	{words: []string{"divide error:", "divide_error:", "int3:", "stack segment: "}, kind: KindOops, effect: afterAny, fatal: true, rules: trapRules},
	{words: []string{"Internal error:", "Unhandled fault:", "Alignment trap:"}, kind: KindOops, effect: afterAny, fatal: true, inside: true, rules: armTrapRules},
	{words: []string{"Watchdog detected hard LOCKUP", "hard LOCKUP on cpu"}, kind: KindHardLockup, effect: afterStall, fatal: true, rules: hardLockupRules},
	{words: []string{"unregister_netdevice: waiting for"}, kind: KindHungTask, inside: true, rules: netdeviceRules},
	{words: []string{"VFS: Close: file count is", "VFS: Busy inodes after unmount"}, kind: KindBug, rules: vfsRules},
	{words: []string{"Out of memory: Kill", "Memory cgroup out of memory: Kill"}, kind: KindOOM, inside: true, rules: oomRules},
	{words: []string{"trusty: panic"}, kind: KindOther, fatal: true, rules: trustyRules},
	{words: []string{"SYZFAIL:", "SYZFATAL:"}, kind: KindOther, begins: true, rules: fuzzerRules},
	{words: []string{"panic: "}, kind: KindOther, begins: true, fatal: true, rules: bsdRules},
	{words: []string{"Fatal trap ", "fatal trap "}, kind: KindOther, fatal: true, rules: bsdTrapRules},
	{words: []string{"ZIRCON KERNEL PANIC", "ZEPHYR FATAL ERROR", "Oops[#"}, kind: KindOther, fatal: true, rules: otherRules},
}

// deniedGroup makes the findings of a deny list: the message is the title.
var deniedGroup = &group{
	words: []string{""}, kind: KindDenied, fatal: true,
	rules: []rule{{head: expand(`(.*)`), title: "$1"}},
}
