// Package junit reads the cases of JUnit XML that a test left behind.
//
// There is no standard; the shape is the one Jenkins and GitHub's actions read: testsuites, testsuite, testcase with
// failure, error or skipped.
package junit
