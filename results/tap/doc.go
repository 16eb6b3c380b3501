// Package tap reads the Test Anything Protocol, versions 12 to 14, and its dialects of the kernel: KTAP 1, KUnit's and
// kselftest's output. In TAP, the lines of Perl's prove are read, too.
//
// A test point is a case, named by its description ("test-4" without one). Its set is the path of the tests it is a
// subtest of, joined by "/". kselftest's "selftests: net: foo.sh" is case "foo.sh" of set "net", and its subtests are
// of set "net/foo.sh". A point with subtests is a case too, and so is prove's test file. Results: SKIP is skip; a
// failed TODO or XFAIL is skip with the directive as its note, because it was expected; a passed one is pass with that
// note.
//
// What a plan announces and nobody reports is a missing case. So is a subtest that began and did not end, and the rest
// of a prove that did not print its result. More results than planned, and "Bail out!", are failed cases named
// "plan" and "bail-out". The kernel differs: its runner lets more results than planned pass, so that they are unknown;
// a program that bails out ends alone; what a program prints twice, because it forked, counts once; and results that a
// program counts ("Totals: pass:3 …") but does not print are one case "totals".
//
// Lines that are not of the protocol, such as the kernel's, are ignored. A result into which the kernel printed is put
// together again.
//
// Sources: testanything.org's specifications of TAP 13 and 14; Documentation/dev-tools/ktap.rst and
// tools/testing/selftests/kselftest/runner.sh of Linux.
package tap
