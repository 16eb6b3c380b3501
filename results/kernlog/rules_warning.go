package kernlog

import (
	"regexp"

	"github.com/gantry-ci/gantry/results"
)

// warning is a WARN_ON in a file, told by the message's source line, whose title names the bug's class.
func (w ways) warning(head, title, kind, skip string) rule {
	r := rule{kind: kind, head: expand(`WARNING: ` + head), title: title, walks: w.byWarning}
	if skip != "" {
		r.skip = words(skip)
	}
	return r
}

// deadlock is lockdep's: the function that takes the lock stands after "at:".
func deadlock(head string, then ...string) rule {
	return rule{
		kind: results.KindLockdep, head: expand(head), then: expandAll(append(then, `at: (?:%P +)?%F`)...),
		title: "possible deadlock in $1",
	}
}

// warningRules are WARN_ON and lockdep (kernel/locking/lockdep.c).
func (w ways) warningRules() []rule {
	return []rule{
		w.warning(`.*lib/debugobjects\.c.* (?:debug_print|debug_check|at)`, "WARNING: ODEBUG bug in $F", "",
			`debug_ rcu hrtimer_ timer_ work_ percpu_ vunmap vfree __free_ kobject_`),
		w.warning(`.*mm/usercopy\.c.* (?:usercopy_warn|at)`, "WARNING: bad usercopy in $F", "", `usercopy __check`),
		w.warning(`.*lib/kobject\.c.* (?:kobject_|at)`, "WARNING: kobject bug in $F", "", `kobject_`),
		w.warning(`.*fs/proc/generic\.c.* (?:proc_register|at)`, "WARNING: proc registration bug in $F", "", `proc_`),
		w.warning(
			`.*lib/refcount\.c.* (?:refcount_|at)`, "WARNING: refcount bug in $F", results.KindRefcount, `refcount kobject_`,
		),
		w.warning(
			`.*kernel/locking/lockdep\.c.*lock_`, "WARNING: locking bug in $F", results.KindLockdep, `lock_sock release_sock`,
		),
		{
			kind: results.KindLockdep, head: expand(`WARNING: .*still has locks held!`), then: expandAll(`at: (?:%P +)?%F`),
			title: "WARNING: still has locks held in $1",
		},
		w.warning(`Nested lock was not taken`, "WARNING: nested lock was not taken in $F", results.KindLockdep, ""),
		{
			kind: results.KindLockdep, head: expand(`WARNING: lock held when returning to user space`),
			title: "WARNING: lock held when returning to user space in $1",
			then:  expandAll(`leaving the kernel with locks still held`, `at: (?:%P +)?%F`),
		},
		w.warning(`.*mm/.*\.c.* k?.?malloc`, "WARNING: kmalloc bug in $F", "", `kmalloc krealloc slab kmem`),
		w.warning(`.*mm/vmalloc\.c.*__vmalloc_node`, "WARNING: zero-size vmalloc in $F", "", ""),
		w.warning(`.* usb_submit_urb`, "WARNING in $F/usb_submit_urb", "", urbs),
		w.warning(`%S at 0x[0-9a-f]+, CPU#\d+`, "WARNING in $F", "", ""),
		w.warning(`.* at %S %F`, "WARNING in $F", "", ""),
		w.warning(`(?:\[.*\] )?%S at [A-Za-z0-9_.$]+\+0x`, "WARNING in $F", "", ""),
		{
			kind: results.KindLockdep, head: expand(`WARNING: possible circular locking dependency detected`),
			then:  expandAll(`is trying to acquire lock`),
			title: "possible deadlock in $F", skip: words(`process_one_work flush_workqueue drain_workqueue destroy_workqueue`),
			walks: [][]step{{{expand(`at: (?:%P +)?%F`)}, {expand(`at: (?:%P +)?%F`)}, w.stack}},
		},
		deadlock(`WARNING: possible irq lock inversion dependency detected`, `just changed the state of lock`),
		{
			kind: results.KindLockdep, head: expand(`WARNING: .*-safe -> .*-unsafe lock order detected`),
			title: "possible deadlock in $F",
			walks: [][]step{{{expand(`which became .* at:`)}, w.stack}},
		},
		deadlock(`WARNING: possible recursive locking detected`, `is trying to acquire lock`),
		{
			kind: results.KindLockdep, head: expand(`WARNING: inconsistent lock state`),
			then:  expandAll(`takes`, `at: (?:%P +)?%F`),
			title: "inconsistent lock state in $F", walks: w.byTrace,
		},
		{
			kind: results.KindLockdep, head: expand(`WARNING: suspicious RCU usage`), then: expandAll(`%S`),
			title: "WARNING: suspicious RCU usage in $F", walks: w.byTrace, skip: words(`rcu kmem slab`),
		},
		{
			head:  expand(`WARNING: kernel stack regs at [0-9a-f]+ in [^ ]* has bad '([^']+)' value`),
			title: "WARNING: kernel stack regs has bad '$1' value",
		},
		{
			head:  expand(`WARNING: kernel stack frame pointer at [0-9a-f]+ in [^ ]* has bad value`),
			title: "WARNING: kernel stack frame pointer has bad value",
		},
		// Without symbols, or cut off.
		w.warning(`CPU: \d+ PID: \d+ at `, "WARNING in $F", "", ""),
		{
			kind: results.KindLockdep, head: expand(`WARNING: bad unlock balance detected!`),
			title: "WARNING: bad unlock balance in $F",
			walks: w.byUnlock,
		},
		{
			kind: results.KindLockdep, head: expand(`WARNING: held lock freed!`), then: expandAll(`at:(?: %P)? +%F`),
			title: "WARNING: held lock freed in $1",
		},
		{
			head:  expand(`WARNING: kernel stack (?:regs .* has bad 'bp'|frame pointer .* has bad) value`),
			title: "WARNING: kernel stack regs has bad value",
		},
		{head: expand(`WARNING:\s*$`), title: "WARNING: corrupted", printk: true},
	}
}

// infoRules are lockdep's of old kernels, kernel/rcu/tree_stall.h and kernel/hung_task.c.
func (w ways) infoRules() []rule {
	return []rule{
		deadlock(`INFO: possible circular locking dependency detected`, `is trying to acquire lock`),
		deadlock(`INFO: possible irq lock inversion dependency detected`, `just changed the state of lock`),
		deadlock(`INFO: .*-safe -> .*-unsafe lock order detected`, `is trying to acquire`),
		deadlock(`INFO: possible recursive locking detected`, `is trying to acquire lock`),
		{
			kind: results.KindLockdep, head: expand(`INFO: inconsistent lock state`),
			then:  expandAll(`takes`, `at: (?:%P +)?%F`),
			title: "inconsistent lock state in $1",
		},
		{
			kind: results.KindRCUStall, head: expand(`INFO: rcu_?\w* (?:self-)?detected(?: expedited)? stall`),
			title: "INFO: rcu detected stall in $F",
			walks: [][]step{
				{{regexp.MustCompile(`apic_timer_interrupt`)}, w.pointer, w.stack},
				{{regexp.MustCompile(`apic_timer_interrupt|Exception stack|el1h_64_irq`)}, w.stack},
			},
			skip: words(`apic_timer_interrupt rcu`), pick: pickStall,
		},
		{
			head: expand(`INFO: trying to register non-static key`), title: "INFO: trying to register non-static key in $F",
			kind: results.KindLockdep, walks: w.byTrace, skip: words(`stack lock IRQ`),
		},
		{
			kind: results.KindLockdep, head: expand(`INFO: suspicious RCU usage`), then: expandAll(`%S`),
			title: "INFO: suspicious RCU usage in $F", walks: w.byTrace, skip: words(`rcu kmem slab`),
		},
		{
			kind: results.KindHungTask, head: expand(`INFO: task %T blocked (?:in I/O wait )?for more than \d+ seconds`),
			title: "INFO: task hung in $F", walks: append(w.byTrace[:1:1], []step{w.stack}),
			pick: pickHang, // 32-bit Arm heads no trace
		},
		{
			kind: results.KindHungTask, head: expand(`INFO: task %T can't die for more than .* seconds`),
			title: "INFO: task can't die in $F",
			walks: w.byTrace, skip: words(`schedule`),
		},
		// SLUB's, within a report if its beginning was not lost.
		{head: expand(`INFO: (Freed|Allocated) in (.*)`), title: "INFO: $1 in $2", inside: true},
		{head: expand(`INFO:\s*$`), title: "INFO: corrupted", printk: true},
	}
}
