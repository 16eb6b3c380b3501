// Package ltp reads what the Linux Test Project's runners leave behind: the output of runltp with its <<<test_start>>>
// blocks, the table that runltp -l writes, the console of kirk, its JSON report, and the summary of a test that is run
// by itself.
//
// A test is a case, named by its tag; its set is kirk's suite. TCONF is skip; TFAIL, TBROK, TWARN, a signal and a timeout
// are fail, with what was reported as the message. A test that began and did not end is missing, and so are those that a
// total counts and no line names.
package ltp
