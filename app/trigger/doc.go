// Package trigger decides what an event of GitHub means: which pull request to bring up to date, which check to run
// again, or nothing, and why. It is pure: events, configuration and policy come in, intents go out; package work reads
// and writes for it. A kind of event has a file.
//
// Payloads are read with small types of its own: a field that nobody needs here cannot make a delivery fail.
package trigger
