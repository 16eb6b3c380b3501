// Package kernlog finds kernel trouble in the bytes of a console: panics, oopses, sanitizer and lockdep reports,
// stalls, hangs, unexpected reboots. It is always on, during boot and tests.
//
// A Scanner is fed the stream as it arrives, cut anywhere, and yields one Finding per event with the title syzkaller
// would give it, so that findings compare with what kernel developers know from syzbot. Its memory is bounded whatever
// the stream holds, and its time is linear in the bytes.
//
// How it works, from the bytes upwards:
//
//	trigger.go  one automaton looks for the few words every report starts with; nearly all text ends there
//	line.go     a line without escapes, split where printk wrote into the middle of it, its printk prefix parsed
//	scanner.go  the lines become open reports: each takes the lines of its own task or CPU
//	rules*.go   the tables: what a report's first line looks like, and where its title is found
//	title.go    the interpreter of those tables
//	frame.go    stack frames, and which of them say nothing about the culprit
//
// What a report looks like is defined by the kernel's sources (mm/kasan/report.c, kernel/locking/lockdep.c,
// kernel/rcu/tree_stall.h, arch/*/kernel/traps.c and the like); the wording of titles is syzkaller's.
package kernlog
