// Package trigger decides what an event of GitHub means: which pull request to bring up to date, which checks to run
// again, or nothing, and why. It is pure: package work reads what it needs and carries out what it decides. Each kind
// of event has a file.
//
// Payloads are read with small types of our own, so that a field that is not needed here cannot make a delivery fail.
package trigger
