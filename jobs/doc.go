// Package jobs is the language: what users write (job, test and device definitions, with positions), what a run
// reports (events, and the results that are their fold), and whose fault a failure is (classes, and the verdict).
//
// It knows nothing of executors, GitHub or hardware; runner and app both speak it.
package jobs
