// Package jobs is the language: what users write, job, test and device definitions, with positions. What a run of it
// reports is package results'.
//
// It knows nothing of executors, GitHub or hardware; runner and app both speak it.
package jobs
