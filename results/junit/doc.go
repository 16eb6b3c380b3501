// Package junit reads the cases in the JUnit XML of a test.
//
// There is no standard. The form is the one that Jenkins and GitHub's actions read: testsuites, testsuite, testcase
// with failure, error or skipped.
package junit
