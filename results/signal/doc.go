// Package signal turns what a target prints while it runs test definitions into results. It reads LAVA's signals, as
// the helpers of package overlay print them and as tests print them by themselves.
//
// A serial line mixes the kernel's messages with the test's output, wraps, loses bytes and repeats them. So the helpers
// follow each signal by a trailer, and repeat all signals of a stage in a manifest at its end:
//
//	<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=uname RESULT=pass>
//	<GANTRY_TRAILER 1.4 9fd1aa96>
//	…
//	<GANTRY_RECORD 1.4 9fd1aa96 LAVA_SIGNAL_TESTCASE TEST_CASE_ID=uname RESULT=pass>
//	<GANTRY_MANIFEST 1.16 0fb6fc71>
//	<LAVA_TEST_RUNNER EXIT>
//
// # Words
//
//   - A signal is a line of LAVA's protocol: <LAVA_SIGNAL_NAME …>, or one of the few others that lava-test-runner and
//     the multinode helpers print.
//   - A run is one run of lava-test-runner in the target, with all its definitions; the caller numbers them. (The
//     protocol calls the start and the end of one definition STARTRUN and ENDRUN, and so does type Run.)
//   - A record is a signal with a number, RUN.SEQ: that of the run, and its place among the run's records, from 1.
//   - A trailer is the line after a signal which makes it a record. Its checksum is the IEEE CRC-32 of the number, a
//     space and the signal: "1.4 <LAVA_SIGNAL_…>".
//   - The manifest is all records of the run again, each in one line, and a last line with the number of the last
//     record and the checksum of "1.16 GANTRY_MANIFEST". The target can be asked to print it again.
//   - A copy is a record that came by a results device, beside the console. It is of the form that the manifest has.
//   - A frame is what the parser looks for: a trailer, a record of the manifest, its last line, the runner's last line.
//   - The window is the output since the last frame: as much of it as a signal and its trailer may lie apart.
//   - A stamp is what the kernel's lines begin with, as "[   12.345678]".
//   - A signal without a number is a test's own, or what is left of a record that was damaged.
//   - A gap is one or more numbers of which no record came, by any way.
//
// # How a signal becomes a case
//
//	Feed ──▶ splitter ──▶ window ──▶ sequence ──▶ state ──▶ items
//	         lines        frames     order        suites, sets, cases
//
// The splitter cuts the bytes into lines, without what only a terminal obeys. The window finds the signal of a trailer
// by its checksum: the text before the trailer is tried as it is, without the kernel's lines, and without one stretch
// that ends where a line ends or begins with a stamp. The sequence has records applied in the order of their numbers,
// so that a lost STARTRUN never puts a result into the wrong suite; what comes after a gap is held until the gap
// closes, by the manifest, a copy, or the end. What still has not come then is reported as missing. The state knows the
// suite, the set and the case that are open, and makes items of records.
//
// A signal without a number counts, with the note "unsequenced", unless it is a word of the shell's trace, a copy of a
// record, or stands where records were damaged: then it is reported as missing, since guessing could invent a result or
// lose one. The rules are a list, classOf in classify.go, of which the first that fits decides. A shorter list does
// worse on the cut outputs of TestTorture: more results that no test reported, or more runs that are incomplete
// although nothing was lost.
//
// Processes that an earlier run left behind may report while a later one runs. Their records carry the earlier number,
// so that they count in that run's suite, as late ones; History is what has to be known for that.
package signal
