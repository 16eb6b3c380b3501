package kernlog

import (
	"slices"

	"github.com/gantry-ci/gantry/results"
)

// ways are how the function of a title is found.
type ways struct {
	calltrace, pointer, stack step

	byTrace, byPointer, byWarning, byKFENCE, byUnlock [][]step
}

func newWays() ways {
	w := ways{
		// 32-bit Arm's unwinder needs no heading: its own frame comes first.
		calltrace: step{expand(`Call [Tt]race:|Backtrace:|unwind_backtrace\)? from `)},
		// The instruction pointer, as x86, powerpc, arm, arm64, riscv, mips, loongarch and s390 print it. Without a symbol
		// there is no frame: the kernel jumped to a bad address; take the culprit from the call trace.
		pointer: step{expand(`(?:IP|pc ?|PC is at|ERA)(?: *:)? +(?:\d+:)?` +
			`(?:(?:%P +){0,2}%F|(?:[0-9a-f]{8,16} )?0x[0-9a-f]+|` +
			`[0-9a-f]{8,16} %F|%P +\[< *\(null\)>\]| *\(null\))|Krnl PSW : [0-9a-f]{16} [0-9a-f]{16} \(%F`)},
	}
	w.byTrace = [][]step{{w.calltrace, w.stack}}
	w.byPointer = [][]step{{w.pointer, w.calltrace, w.stack}, {w.calltrace, w.stack}}
	// A trap (report_bug) puts the pointer first; before traps, and on some architectures, there is only the trace.
	interrupted := step{expand(w.pointer.line.String() + `|--- interrupt: \d+ at %F`)}
	// Of a report cut off there is only its first line.
	w.byWarning = [][]step{{interrupted, w.stack}, {w.calltrace, w.stack}, {{expand(`WARNING: .* at (?:[^ ]+:\d+ )?%F`)}}}
	w.byKFENCE = [][]step{{{expand(`BUG: KFENCE: [a-z -]+ in %F`)}, w.stack}}
	w.byUnlock = [][]step{{{expand(`%P +%F`)}, w.calltrace, w.stack}, {w.calltrace, w.stack}}
	return w
}

// bugRules are what begins with "BUG:". The first that fits counts, and a later one may be wider.
func (w ways) bugRules() []rule {
	return slices.Concat(w.sanitizerRules(), w.accessRules(), w.checkRules())
}

// accessRules are arch/*/mm/fault.c: accesses that the hardware refused.
func (w ways) accessRules() []rule {
	return []rule{
		{
			kind: results.KindOops,
			head: expand(
				`BUG: (?:unable to handle kernel paging request|unable to handle page fault for address|` +
					`Unable to handle kernel data access)`,
			),
			title: "BUG: unable to handle kernel paging request in $F", walks: w.byPointer, fatal: true,
		},
		{
			kind: results.KindNullDeref, head: expand(`BUG: (?:unable to handle kernel|kernel|Kernel) NULL pointer dereference`),
			title: "BUG: unable to handle kernel NULL pointer dereference in $F", walks: w.byPointer, fatal: true,
		},
		{
			kind: results.KindOops, head: expand(`BUG: ` + fault), title: "BUG: unable to handle kernel $1 in $F",
			walks: w.byPointer,
			fatal: true,
		},
		// The message is printed in two parts, and the second may be lost.
		{
			kind: results.KindOops, head: expand(`BUG: [Uu]nable to handle kernel`), title: "BUG: unable to handle kernel",
			fatal: true,
		},
	}
}

// checkRules are kernel/locking, kernel/watchdog.c, kernel/sched, mm/page_alloc.c, mm/kmemleak.c and the like: what
// the kernel checks of itself.
func (w ways) checkRules() []rule {
	return []rule{
		{
			kind: results.KindLockdep, title: "BUG: $1 $2 in $F", walks: w.byTrace, skip: words(`spin_ _lock _unlock`),
			head: expand(
				`BUG: (spinlock|rwlock) (lockup suspected|already unlocked|cpu recursion|recursion|bad magic|wrong owner|` +
					`wrong CPU|trylock failure on UP)`,
			),
		},
		{
			kind: results.KindSoftLockup, head: expand(`BUG: soft lockup`), title: "BUG: soft lockup in $F", walks: w.byPointer,
			pick: pickStall,
		},
		{
			kind: results.KindLockdep, head: expand(`BUG: .*still has locks held!`), then: expandAll(`%P +%F`),
			title: "BUG: still has locks held in $1",
		},
		{
			kind: results.KindAtomicSleep, head: expand(`BUG: scheduling while atomic`),
			title: "BUG: scheduling while atomic in $F",
			walks: w.byTrace, skip: words(`schedule`),
		},
		{
			kind: results.KindLockdep, head: expand(`BUG: lock held when returning to user space`),
			title: "BUG: lock held when returning to user space in $1",
			then:  expandAll(`leaving the kernel with locks still held`, `at: (?:%P +)?%F`),
		},
		{
			kind: results.KindLockdep, head: expand(`BUG: bad unlock balance detected!`), title: "BUG: bad unlock balance in $F",
			walks: w.byUnlock,
		},
		{
			kind: results.KindLockdep, head: expand(`BUG: held lock freed!`), then: expandAll(`%P +%F`),
			title: "BUG: held lock freed in $1",
		},
		{
			head: expand(
				`BUG: (Bad rss-counter state|non-zero nr_ptes on freeing mm|non-zero nr_pmds on freeing mm|workqueue lockup|` +
					`Bad page map)`,
			),
			title: "BUG: $1",
		},
		{kind: results.KindLockdep, head: expand(`BUG: (MAX_\w+ too low!)`), title: "BUG: $1"},
		{
			head:  expand(`BUG: Dentry .* still in use \(-?\d+\) \[(unmount) of [^\]]+\]`),
			title: "BUG: Dentry still in use in $1",
		},
		{
			head: expand(`BUG: Bad page (state|cache)`), title: "BUG: Bad page $1 in $F",
			walks: [][]step{{{expand(`page last allocated`)}, w.stack}},
			skip: words(`free_page put_page get_page update_page release_page free_unref ^folio ^_folio ^__folio
			truncate_inode_pages page_frag_free alloc vmap page_owner`),
		},
		{
			kind: results.KindAtomicSleep, head: expand(`BUG: sleeping function called from invalid context at `),
			title: "BUG: sleeping function called from invalid context in $F", walks: w.byTrace,
		},
		{
			kind: results.KindLockdep, head: expand(`BUG: using ([a-z_]+)\(\) in preemptible`),
			title: "BUG: using $1() in preemptible code in $F",
			walks: w.byTrace, skip: words(`preempt debug_ processor_id this_cpu`),
		},
		{
			head: expand(`BUG: workqueue leaked lock or atomic`), then: expandAll(`last function: ([A-Za-z0-9_]+)`),
			title: "BUG: workqueue leaked lock or atomic in $1",
		},
		{
			kind: results.KindLeak, head: expand(`BUG: memory leak`), title: "memory leak in $F",
			walks: [][]step{{{expand(`backtrace(?: \(crc [0-9a-f]*\))?:`)}, w.stack}},
			skip: words(
				`kmemleak mmap kmem slab alloc create_object idr_get list_lru_init kasprintf kvasprintf pcpu_create strdup ` +
					`strndup memdup`,
			),
		},
		{
			head: expand(`BUG: .*stack guard page was hit at`), title: "BUG: stack guard page was hit in $F", walks: w.byPointer,
			pick: pickStall, fatal: true,
		},
		{
			kind: results.KindLockdep, head: expand(`BUG: Invalid wait context`), title: "WARNING: locking bug in $F",
			walks: w.byTrace,
			skip:  words(`lock_sock release_sock`),
		},
		{head: expand(`BUG:\s*$`), title: "BUG: corrupted", printk: true},
	}
}
