// Package kernlog finds kernel trouble in the bytes of a console: panics, oopses, reports of sanitizers and lockdep,
// stalls, hangs, unexpected reboots. It always runs, during boot and tests.
//
// A Scanner takes the stream as it arrives, cut anywhere, and yields one results.Finding per event. The titles are
// those of syzkaller, so that findings compare with what kernel developers know from syzbot. Memory is bounded whatever
// the stream holds, and time is linear in the bytes.
//
// From the bytes upwards:
//
//	scanner.go    the stream: lines, their pieces, what is open at its end
//	automaton.go  finds the words with which reports begin, all in one pass; nearly all text needs no more
//	line.go       a line as messages: without escapes, split where printk wrote into it, with its context
//	boot.go       boots, and which of them are unexpected
//	collect.go    the messages become open reports, each of its own task or CPU
//	report.go     one report, and when it is complete
//	groups.go     the table of words, and what the reports behind them have in common
//	rules.go      what a group and a rule are, and which message begins a report
//	rules_*.go    the rules: the form of a report, and how its title is made
//	quote.go      messages that only mention a report
//	title.go      applies the rules to a report
//	frame.go      stack frames, and which of them names the culprit
//	functions.go  the functions that never do
//	normalize.go  titles and fingerprints that are the same on every run
//	list.go       what a repository allows and denies
//
// # Adding a rule
//
// Put the report, as a console shows it, into testdata/shapes.txt with the wanted finding, and see TestShapes fail. If
// its first words are new, add a group to groups.go: the words, the kind, whether it is fatal. Then add a rule to the
// group's function in rules_*.go: head matches the text from the group's word on, then matches later lines, $1, $2, …
// in the title are what both capture, and $F is the function that walks find. The first rule that fits counts, so a
// narrow one stands before a wide one. A function that never is the culprit goes into functions.go if that holds for
// every report, else into the rule's skip.
//
// What a report looks like is defined by the kernel's sources (mm/kasan/report.c, kernel/locking/lockdep.c,
// kernel/rcu/tree_stall.h, arch/*/kernel/traps.c and the like). The wording of titles is syzkaller's.
package kernlog
