package kernlog

import "github.com/gantry-ci/gantry/results"

// The rules of arch/*/mm/fault.c and arch/*/kernel/traps.c, lib/bug.c, lib/ubsan.c, mm/slub.c and others.

func (w ways) armFaultRules() []rule {
	return []rule{{
		kind: results.KindNullDeref, head: expand(`Unable to handle kernel (NULL pointer dereference)`),
		title: "BUG: unable to handle kernel $1 in $F", walks: w.byPointer,
	}, {
		head: expand(fault), title: "BUG: unable to handle kernel $1 in $F", walks: w.byPointer,
	}}
}

// fault is what an architecture could not handle: the kernel's words up to the address.
const fault = `[Uu]nable to handle kernel ([a-zN][a-zA-Z -]*?)` +
	`(?: outside uaccess routines| in virtual (?:kernel|user) address space| (?:at|for|on) |\s*$|[ ]*\()`

// oopsWords begin die()'s line, where no other group has the same.
func oopsWords() []string {
	return []string{
		"Oops: ", "Oops - ", "Oops [#", "Oops[#", "alignment check: ", "invalid TSS: ", "segment not present: ",
		"Bad pagetable: ",
		"bounds: ", "addressing exception: ", "specification exception: ", "illegal operation: ", "operand exception: ",
		"Kernel bug detected[#", "unaligned access[#", "instruction in kernel code[#",
	}
}

// oopsRules are die()'s own line, which numbers the oopses since boot. It begins a report only where the line before
// it, that says what happened, has been lost or was never printed.
func (w ways) oopsRules() []rule {
	return []rule{
		{head: expand(`Oops: ([a-zA-Z][a-zA-Z -]+): [0-9a-f]{4} \[#\d+\]`), title: "$1 in $F", walks: w.byPointer},
		{
			head:  expand(`Oops(?:: [0-9a-f]{4,16}| - [\w ()/-]+|: [\w -]+, sig: \d+)?(?: ilc:\d)? ?\[#\d+\]`),
			title: "Oops in $F", walks: w.byPointer,
		},
		// x86 before 6.10, and s390.
		{head: expand(`([a-zA-Z -]+): [0-9a-f]{4} (?:ilc:\d )?\[#\d+\]`), title: "$1 in $F", walks: w.byPointer},
		// MIPS.
		{head: expand(`Kernel bug detected\[#\d+\]`), title: "kernel BUG in $F", kind: results.KindBug, walks: w.byPointer},
		{head: expand(`(?:unaligned access|instruction in kernel code)\[#\d+\]`), title: "Oops in $F", walks: w.byPointer},
	}
}

func (w ways) protectionRules() []rule {
	return []rule{
		{head: expand(`general protection fault.*:`), title: "general protection fault in $F", walks: w.byPointer},
	}
}

func (w ways) kernelBugRules() []rule {
	return []rule{
		{
			head: expand(`kernel BUG at mm/usercopy\.c`), title: "BUG: bad usercopy in $F", walks: w.byTrace,
			skip: words(`usercopy __check`),
		},
		{head: expand(`kernel BUG at lib/list_debug\.c`), title: "BUG: corrupted list in $F", walks: w.byTrace},
		// Packets' helpers check what their callers did.
		{head: expand(`kernel BUG at .`), title: "kernel BUG in $F", walks: w.byPointer, skip: words(`^skb_`)},
		{head: expand(`Kernel BUG \[#\d+\]`), title: "kernel BUG in $F", walks: w.byPointer},
		{head: expand(`Kernel BUG (.*)`), title: "kernel BUG $1"},
	}
}

func (w ways) rustRules() []rule {
	return []rule{{
		head: expand(`rust_kernel: panicked at`), then: expandAll(`(.+)`), title: "$1 in $F", walks: w.byTrace,
		skip: words(`rust_begin_unwind rust_helper_BUG`),
	}, {
		head: expand(`rust_kernel: panicked`), title: "rust_kernel: panicked",
	}}
}

func (w ways) slubRules() []rule {
	return []rule{
		{head: expand(`BUG kmalloc-.*: Object already free`), title: "BUG: Object already free"},
		{head: expand(`BUG [\w:-]+ \((?:Not tainted|Tainted: .*?|[ A-Z]+)\): (.+)`), title: "BUG: $1"},
	}
}

func (w ways) ubsanRules() []rule {
	skip := words(`ubsan overflow`)
	return []rule{
		{
			head: expand(`UBSAN: Undefined behaviour in`), title: "UBSAN: undefined-behaviour in $F", walks: w.byTrace,
			skip: skip,
		},
		{head: expand(`UBSAN: ([a-z-]+) in `), title: "UBSAN: $1 in $F", walks: w.byTrace, skip: skip},
		// Where the compiler traps, the oops shows.
		{
			head: expand(`UBSAN: ([a-z -]+): [0-9a-f]{8,16} \[#\d+\]`), title: "UBSAN: $1 in $F", walks: w.byPointer,
			fatal: true,
		},
	}
}

func (w ways) doubleFaultRules() []rule {
	return []rule{{
		head: expand(`PANIC: double fault`), title: "PANIC: double fault in $F",
		walks: [][]step{{w.pointer}, {w.calltrace, w.stack}},
	}}
}

func (w ways) trapRules() []rule {
	return []rule{
		{head: expand(`divide[ _]error: `), title: "divide error in $F", walks: w.byPointer},
		{head: expand(`int3: `), title: "int3 in $F", walks: w.byPointer},
		{head: expand(`stack segment: `), title: "stack segment fault in $F", walks: w.byPointer},
	}
}

func (w ways) opcodeRules() []rule {
	return []rule{{head: expand(`invalid opcode: `), title: "invalid opcode in $F", walks: w.byPointer}}
}

func (w ways) armTrapRules() []rule {
	return []rule{
		{head: expand(`(Internal error|Unhandled fault|Alignment trap):`), title: "$1 in $F", walks: w.byPointer},
	}
}

func (w ways) hardLockupRules() []rule {
	return []rule{
		{
			head: expand(`hard LOCKUP (?:on (?:cpu|other CPUs)|@)`), title: "BUG: hard lockup in $F", walks: w.byPointer,
			pick: pickStall,
		},
	}
}

func (w ways) netdeviceRules() []rule {
	return []rule{{
		head:  expand(`unregister_netdevice: waiting for .* to become free`),
		title: "unregister_netdevice: waiting for DEV to become free",
	}}
}

func (w ways) vfsRules() []rule {
	return []rule{
		{head: expand(`VFS: Close: file count is (?:0|zero)`), title: "VFS: Close: file count is zero (use-after-free)"},
		{head: expand(`VFS: Busy inodes after unmount`), title: "VFS: Busy inodes after unmount (use-after-free)"},
	}
}

func (w ways) oomRules() []rule {
	return []rule{
		{head: expand(`[Oo]ut of memory: Kill(?:ed)? process \d+,? \(?([^),]+)`), title: "Out of memory: Killed process $1"},
	}
}
