package kernlog

// Oopses and panics of Linux.
var (
	armFaultRules = []rule{
		{kind: KindNullDeref, head: expand(`Unable to handle kernel (NULL pointer dereference)`), title: "BUG: unable to handle kernel $1 in $F", walks: byPointer},
		{head: expand(`Unable to handle kernel (paging request|access to user memory)`), title: "BUG: unable to handle kernel $1 in $F", walks: byPointer},
	}
	protectionRules = []rule{{head: expand(`general protection fault.*:`), title: "general protection fault in $F", walks: byPointer}}
	kernelBugRules  = []rule{
		{head: expand(`kernel BUG at mm/usercopy\.c`), title: "BUG: bad usercopy in $F", walks: byTrace, skip: words(`usercopy __check`)},
		{head: expand(`kernel BUG at lib/list_debug\.c`), title: "BUG: corrupted list in $F", walks: byTrace},
		{head: expand(`kernel BUG at .`), title: "kernel BUG in $F", walks: byPointer, skip: words(`^skb_`)},
		{head: expand(`Kernel BUG (.*)`), title: "kernel BUG $1"},
	}
	rustRules = []rule{
		{
			head: expand(`rust_kernel: panicked at`), then: expandAll(`(.+)`), title: "$1 in $F", walks: byTrace,
			skip: words(`rust_begin_unwind rust_helper_BUG`),
		},
		{head: expand(`rust_kernel: panicked`), title: "rust_kernel: panicked"},
	}
	slubRules = []rule{
		{head: expand(`BUG kmalloc-.*: Object already free`), title: "BUG: Object already free"},
		{head: expand(`BUG [\w:-]+ \((?:Not tainted|Tainted: .*?|[ A-Z]+)\): (.+)`), title: "BUG: $1"},
	}
	ubsanRules = []rule{
		{head: expand(`UBSAN: Undefined behaviour in`), title: "UBSAN: undefined-behaviour in $F", walks: byTrace, skip: words(`ubsan overflow`)},
		{head: expand(`UBSAN: (.*?) in`), title: "UBSAN: $1 in $F", walks: byTrace, skip: words(`ubsan overflow`)},
	}
	doubleFaultRules = []rule{{head: expand(`PANIC: double fault`), title: "PANIC: double fault in $F", walks: [][]step{{pointer}, {calltrace, stack}}}}
	opcodeRules      = []rule{{head: expand(`invalid opcode: `), title: "invalid opcode in $F", walks: byPointer}}
	trapRules        = []rule{
		{head: expand(`divide[ _]error: `), title: "divide error in $F", walks: byPointer},
		{head: expand(`int3: `), title: "int3 in $F", walks: byPointer},
		{head: expand(`stack segment: `), title: "stack segment fault in $F", walks: byPointer},
	}
	armTrapRules    = []rule{{head: expand(`(Internal error|Unhandled fault|Alignment trap):`), title: "$1 in $F", walks: byPointer}}
	hardLockupRules = []rule{{head: expand(`hard LOCKUP on cpu`), title: "BUG: hard lockup in $F", walks: byPointer, pick: pickStall}}
	netdeviceRules  = []rule{{
		head:  expand(`unregister_netdevice: waiting for .* to become free`),
		title: "unregister_netdevice: waiting for DEV to become free",
	}}
	vfsRules = []rule{
		{head: expand(`VFS: Close: file count is (?:0|zero)`), title: "VFS: Close: file count is zero (use-after-free)"},
		{head: expand(`VFS: Busy inodes after unmount`), title: "VFS: Busy inodes after unmount (use-after-free)"},
	}
	oomRules = []rule{{head: expand(`[Oo]ut of memory: Kill(?:ed)? process \d+,? \(?([^),]+)`), title: "Out of memory: Killed process $1"}}
)

// panicRules are the panics whose text is not their title.
var panicRules = []rule{
	{head: expand(`Kernel panic - not syncing: IO-APIC \+ timer doesn't work`), title: "kernel panic: IO-APIC + timer doesn't work!", emulation: true},
	{head: expand(`Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: (?:%P )?%F`), title: "kernel panic: stack is corrupted in $1"},
	{
		head: expand(`Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: [0-9a-f]+`), walks: byTrace,
		title: "kernel panic: stack is corrupted in $F", skip: words(`stack_chk`),
	},
	{
		head: expand(`Kernel panic - not syncing: corrupted stack end detected inside scheduler`), walks: byTrace, pick: pickStall,
		title: "kernel panic: corrupted stack end in $F", skip: words(`schedule retint_kernel`),
	},
	{
		head: expand(`Kernel panic - not syncing: kernel stack overflow`), walks: byTrace, pick: pickStall,
		title: "kernel stack overflow in $F", skip: words(`bad_stack`),
	},
	{
		head: expand(`Kernel panic - not syncing: (Attempted to kill init!|Couldn't open N_TTY ldisc|Fatal exception|` +
			`panic_on_warn set|hung_task: blocked tasks)`),
		title: "kernel panic: $1",
	},
	{head: expand(`Kernel panic - not syncing: (.*)`), title: "kernel panic: $1"},
}

// Other kernels, secure worlds, and fuzzers that report on the same console.
var (
	trustyRules = []rule{
		{head: expand(`trusty: panic \(.*?\):(?: DEBUG)? ASSERT FAILED at \(.*?\): *(.*)`), title: "trusty: ASSERT FAILED: $1"},
		{head: expand(`trusty: panic \(.*?\): (.+)`), title: "trusty: panic: $1"},
		{head: expand(`trusty: panic`), title: "trusty: panic"},
	}
	fuzzerRules = []rule{{head: expand(`(SYZFAIL|SYZFATAL):(.*)`), title: "$1:$2"}}
	// A BSD kernel names its CPU, its time or its debugger after the panic; a Go program its goroutines.
	bsdRules = []rule{
		{head: expand(`panic: `), then: expandAll(`goroutine \d+ \[`), title: "$1", drop: true},
		{head: expand(`panic: (.*)`), then: expandAll(`cpuid = |^time = |[Ss]topped at |KDB: |^cpu\d+: |[Bb]egin traceback|Starting stack trace`), title: "panic: $1"},
		{head: expand(`panic: `), title: "", drop: true},
	}
	bsdTrapRules = []rule{{head: expand(`[Ff]atal trap (\d+): (.*?)(?: while in kernel mode| in .*mode)?$`), title: "Fatal trap $1: $2"}}
	otherRules   = []rule{
		{head: expand(`ZIRCON KERNEL PANIC`), title: "ZIRCON KERNEL PANIC"},
		{head: expand(`ZEPHYR FATAL ERROR (?:\d+): (.*?)(?: on CPU \d+)?$`), title: "ZEPHYR FATAL ERROR: $1"},
		{head: expand(`Oops\[#\d+\]`), title: "Oops in $F", walks: [][]step{{{expand(`epc\s*:?\s*[0-9a-f]+ %F`)}}, {calltrace, stack}}},
	}
)
