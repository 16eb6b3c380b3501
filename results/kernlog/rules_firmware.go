package kernlog

// firmwareWords begin the last words of what runs before the kernel and below it.
func firmwareWords() []string {
	return []string{
		"\"Synchronous Abort\" handler", "### ERROR ### Please RESET", "Unhandled Exception in EL3", "PANIC at PC : ",
		"E/TC:",
		"Synchronous Exception at 0x", "!!!! X64 Exception Type", "(XEN) Panic on CPU", "sbi_trap_error: ",
	}
}

// firmwareRules are U-Boot's and barebox's (arch/arm/lib/interrupts_64.c, lib/hang.c), TF-A's
// (bl31/aarch64/crash_reporting.S, plat/common/plat_log_common.c), OP-TEE's (core/kernel/panic.c,
// core/arch/*/kernel/abort.c), EDK II's (CpuExceptionHandlerLib), Xen's (drivers/char/console.c) and OpenSBI's
// (lib/sbi/sbi_trap.c). That of a trusted application is its own trouble.
func (w ways) firmwareRules() []rule {
	return []rule{
		{head: expand(`"Synchronous Abort" handler`), title: "U-Boot: synchronous abort"},
		{head: expand(`### ERROR ### Please RESET the board`), title: "boot loader hangs"},
		{head: expand(`Unhandled Exception in EL3|PANIC at PC : `), title: "TF-A: panic in EL3"},
		{head: expand(`E/TC:\S*(?: \d+)? Panic(?: '[^']*')? at \S+ <(\w+)>`), title: "OP-TEE: panic in $1"},
		{head: expand(`E/TC:\S*(?: \d+)? Panic`), title: "OP-TEE: panic"},
		{head: expand(`E/TC:\S*(?: \d+)? Core ([a-z]+-abort) at address`), title: "OP-TEE: $1"},
		{head: expand(`Synchronous Exception at 0x[0-9A-F]+`), title: "EDK II: synchronous exception"},
		{head: expand(`!!!! X64 Exception Type - \w+\((#\w+)`), title: "EDK II: exception $1"},
		{head: expand(`\(XEN\) Panic on CPU`), title: "Xen: $1", then: expandAll(`^\(XEN\) ([^* ].*)`)},
		{
			head:  expand(`sbi_trap_error: hart\d+: (?:trap\d+: )?([a-z][a-z ]+[a-z])(?: \(error -?\d+\))?$`),
			title: "OpenSBI: $1",
		},
	}
}
