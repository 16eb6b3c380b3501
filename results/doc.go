// Package results is what came out of a run: its events and their fold, whose fault a failure is (classes), the verdict
// and the evidence it rests on, and the failures that a repository knows of.
//
// It knows nothing of what was asked, of executors, GitHub or hardware; runner and app both speak it. Below it are what
// makes results of bytes (signal, tap, ltp, junit, gtest, kernlog) and what writes them as others read them (export).
package results
