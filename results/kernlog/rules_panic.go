package kernlog

// panicRules are kernel/panic.c's callers whose text is not their title.
func (w ways) panicRules() []rule {
	const panicked = `Kernel panic - not syncing: `
	return []rule{
		// QEMU without KVM on a loaded host delivers the timer's interrupts too late for the kernel's check of it.
		{
			head: expand(panicked + `IO-APIC \+ timer doesn't work`), title: "kernel panic: IO-APIC + timer doesn't work!",
			emulation: true,
		},
		{
			head:  expand(panicked + `stack-protector: Kernel stack is corrupted in: (?:%P )?%F`),
			title: "kernel panic: stack is corrupted in $1",
		},
		{
			head: expand(panicked + `stack-protector: Kernel stack is corrupted in: [0-9a-f]+`), walks: w.byTrace,
			title: "kernel panic: stack is corrupted in $F", skip: words(`stack_chk`),
		},
		{
			head: expand(panicked + `corrupted stack end detected inside scheduler`), walks: w.byTrace, pick: pickStall,
			title: "kernel panic: corrupted stack end in $F", skip: words(`schedule retint_kernel`),
		},
		{
			head: expand(panicked + `kernel stack overflow`), walks: w.byTrace, pick: pickStall,
			title: "kernel stack overflow in $F", skip: words(`bad_stack`),
		},
		{
			head: expand(panicked + `(Attempted to kill init!|Couldn't open N_TTY ldisc|Fatal exception|panic_on_warn set|` +
				`hung_task: blocked tasks)`),
			title: "kernel panic: $1",
		},
		{head: expand(panicked + `(.*)`), title: "kernel panic: $1"},
	}
}

func (w ways) trustyRules() []rule {
	return []rule{
		{
			head:  expand(`trusty: panic \(.*?\):(?: DEBUG)? ASSERT FAILED at \(.*?\): *(.*)`),
			title: "trusty: ASSERT FAILED: $1",
		},
		{head: expand(`trusty: panic \(.*?\): (.+)`), title: "trusty: panic: $1"},
		{head: expand(`trusty: panic`), title: "trusty: panic"},
	}
}

// fuzzerRules are syzkaller's own failures: what runs in the guest is broken.
func (w ways) fuzzerRules() []rule {
	return []rule{{head: expand(`(SYZFAIL|SYZFATAL):(.*)`), title: "$1:$2"}}
}

// bsdRules are panic(9). A BSD kernel names its CPU, its time or its debugger after the panic, a Go program its
// goroutines; a panic that is followed by neither is somebody's prose.
func (w ways) bsdRules() []rule {
	return []rule{
		{head: expand(`panic: `), then: expandAll(`^goroutine \d+ \[`), drop: true},
		{
			head: expand(`panic: (.*)`), title: "panic: $1",
			then: expandAll(`cpuid = |^time = |[Ss]topped at |KDB: |^cpu\d+: |[Bb]egin traceback|Starting stack trace`),
		},
		{head: expand(`panic: `), drop: true},
	}
}

func (w ways) bsdTrapRules() []rule {
	return []rule{
		{head: expand(`[Ff]atal trap (\d+): (.*?)(?: while in kernel mode| in .*mode)?$`), title: "Fatal trap $1: $2"},
	}
}

// otherRules are Fuchsia's and Zephyr's.
func (w ways) otherRules() []rule {
	return []rule{
		{head: expand(`ZIRCON KERNEL PANIC`), title: "ZIRCON KERNEL PANIC"},
		{head: expand(`ZEPHYR FATAL ERROR (?:\d+): (.*?)(?: on CPU \d+)?$`), title: "ZEPHYR FATAL ERROR: $1"},
	}
}
