// Package ltp reads what tests and runners of the Linux Test Project print: the output of runltp with its
// <<<test_start>>> blocks, what runltp -l writes, with -p and without, the console of kirk, its JSON report, the
// logfile of the Open POSIX test suite, and tests that are run by themselves.
//
// A test is a case, named by its tag; its set is kirk's suite. TCONF is skip; TFAIL, TBROK, TWARN, a signal and a
// timeout are fail, with what the test reported as the message. A test that began and did not end is missing. So are
// tests that a total counts but no line names, and a table or suite without its total.
//
// A test by itself is named by the file or the tag before its results, or "test-2" when it prints neither. The new
// library's tests end with a summary, and are missing without one. Those of the old library and of the shell library
// print nothing when they end, and have the results that they printed.
//
// The list of failed commands (runltp -C) is not read: it names failures only, so that nobody could see when a part of
// it is lost.
//
// Sources: pan/ltp-pan.c, lib/tst_test.c, lib/tst_res.c and testcases/lib/tst_test.sh of LTP; libkirk/ui.py and
// export.py of kirk; and recorded runs.
package ltp
