package kernlog

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gantry-ci/gantry/results"
)

// escape is the trigger bit of a terminal escape.
const escape = uint64(1) << 63

// tables are what Scanners share.
type tables struct {
	groups   []group
	triggers *automaton // finds the words of all groups, the boot marks and escapes
	headers  uint64     // the bits of groups
	fatal    uint64     // of those that may be fatal
}

// shared makes the tables when they are first needed.
//
//nolint:gochecknoglobals // never changed, and hundreds of expressions are too slow to compile for every console
var shared = sync.OnceValue(newTables)

func newTables() *tables {
	t := &tables{groups: groups(newWays())}
	words, bits := []string{"\x1b"}, []uint64{escape}
	for i, g := range t.groups {
		t.headers |= 1 << i
		if g.fatal || slices.ContainsFunc(g.rules, func(r rule) bool { return r.fatal }) {
			t.fatal |= 1 << i
		}
		for _, w := range g.words {
			words, bits = append(words, w), append(bits, 1<<i)
		}
	}
	for _, b := range bootWords() {
		words, bits = append(words, b.word), append(bits, b.mark)
	}
	t.triggers = newAutomaton(words, bits)
	return t
}

// ignoring compiles what a group ignores.
func ignoring(patterns ...string) *regexp.Regexp {
	return regexp.MustCompile("(?:" + strings.Join(patterns, ")|(?:") + ")")
}

// groups are tried in this order.
func groups(w ways) []group {
	return []group{
		{
			words: []string{"BUG:"}, kind: results.KindBug, generic: true, rules: w.bugRules(),
			ignore: ignoring(`DEBUG:`, `xlog_status:`, `BUG: no syscalls can create resource`,
				`\[inline\]$`), // a decoder's: the function itself follows
		},
		{
			words: []string{"WARNING:"}, kind: results.KindWarning, generic: true, rules: w.warningRules(),
			ignore: ignoring(`WARNING: /etc/ssh/`, `workqueue cpumask: online intersect`, `[Tt]he mand mount option`,
				`WARNING: Unsupported flag value`, `Unprivileged eBPF is enabled`, `missed to adjust virtual screen size`,
				`WARNING: See http`, `WARNING: kernel not compiled with`, `EXT4-[Ff][Ss](?: \(.*\))?:`, `XFS \(\w+\): WARNING`,
				`uses (?:deprecated v2 capabilities|wireless extensions)`, `post-quantum key exchange`,
				`mitigation leaves CPU vulnerable to`),
		},
		{
			words: []string{"INFO:"}, kind: results.KindWarning, generic: true, rules: w.infoRules(),
			ignore: ignoring(`lockdep is turned off`, `Stall ended before state dump start`, `INFO: NMI handler`,
				`recovery required on readonly filesystem`, `(?:handler|interrupt).*took too long`, `_INFO:`, `\w:INFO:`,
				`INFO: task .* is blocked on a \w+`, `INFO: (?:Slab|Object) 0x`, `INFO: 0x[0-9a-f]+-0x[0-9a-f]+ @offset=`,
				`INFO: sys_.* is not present in`, `INFO: no syscalls can create resource`),
		},
		{
			words: []string{"Unable to handle kernel"}, kind: results.KindOops, effect: afterAny, fatal: true,
			rules: w.armFaultRules(),
		},
		{
			words: []string{"general protection fault"}, kind: results.KindGPF, effect: afterAny, fatal: true,
			rules:  w.protectionRules(),
			ignore: ignoring(`general protection fault .*error:\d+ in `, `traps: `),
		},
		{
			words: []string{"Kernel panic"}, kind: results.KindPanic, effect: afterPanic, fatal: true, inside: true,
			rules: w.panicRules(),
		},
		{
			words: []string{"kernel BUG", "Kernel BUG"}, kind: results.KindBug, effect: afterAny, fatal: true,
			rules: w.kernelBugRules(),
		},
		{words: []string{"rust_kernel: panicked"}, kind: results.KindBug, fatal: true, rules: w.rustRules()},
		{words: []string{"BUG kmalloc-", "BUG "}, kind: results.KindBug, rules: w.slubRules()},
		{words: []string{"UBSAN:"}, kind: results.KindUBSAN, rules: w.ubsanRules()},
		{
			words: []string{"PANIC: double fault"}, kind: results.KindPanic, effect: afterAny, fatal: true, inside: true,
			rules: w.doubleFaultRules(),
		},
		{
			words: []string{"invalid opcode:"}, kind: results.KindOops, effect: afterAny, fatal: true, inside: true,
			rules: w.opcodeRules(),
		},
		{
			words: []string{"divide error:", "divide_error:", "int3:", "stack segment: "}, kind: results.KindOops,
			effect: afterAny,
			fatal:  true, rules: w.trapRules(),
		},
		{
			words: []string{"Internal error:", "Unhandled fault:", "Alignment trap:"}, kind: results.KindOops, effect: afterAny,
			fatal: true, inside: true, rules: w.armTrapRules(),
		},
		{
			words: []string{"hard LOCKUP"}, kind: results.KindHardLockup, effect: afterStall, fatal: true,
			rules: w.hardLockupRules(),
		},
		{
			words: []string{"unregister_netdevice: waiting for"}, kind: results.KindHungTask, inside: true,
			rules: w.netdeviceRules(),
		},
		{
			words: []string{"VFS: Close: file count is", "VFS: Busy inodes after unmount"}, kind: results.KindBug,
			rules: w.vfsRules(),
		},
		{
			words: []string{"Out of memory: Kill", "Memory cgroup out of memory: Kill"}, kind: results.KindOOM, inside: true,
			rules: w.oomRules(),
		},
		{words: []string{"trusty: panic"}, kind: results.KindOther, fatal: true, rules: w.trustyRules()},
		{words: []string{"SYZFAIL:", "SYZFATAL:"}, kind: results.KindOther, begins: true, rules: w.fuzzerRules()},
		{words: []string{"panic: "}, kind: results.KindOther, begins: true, fatal: true, rules: w.bsdRules()},
		{words: []string{"Fatal trap ", "fatal trap "}, kind: results.KindOther, fatal: true, rules: w.bsdTrapRules()},
		{
			words: []string{"ZIRCON KERNEL PANIC", "ZEPHYR FATAL ERROR"}, kind: results.KindOther, fatal: true,
			rules: w.otherRules(),
		},
		{words: firmwareWords(), kind: results.KindOther, begins: true, fatal: true, rules: w.firmwareRules()},
		{words: oopsWords(), kind: results.KindOops, effect: afterAny, fatal: true, inside: true, rules: w.oopsRules()},
	}
}

// deniedGroup makes the findings of a deny list: the message is the title.
func deniedGroup() *group {
	return &group{
		words: []string{""}, kind: results.KindDenied, fatal: true,
		rules: []rule{{head: anything, title: "$1"}},
	}
}
