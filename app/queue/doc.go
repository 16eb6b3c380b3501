// Package queue holds the rules of the lab's queue, and nothing else does:
//
//   - Assign: which waiting run gets which idle target;
//   - LeaseUntil, RenewLease: how long a lease lasts, and when a heartbeat extends it;
//   - Verdict, Interrupted: how an attempt ended, by what its runner reports and what its record holds;
//   - After: whether the run is then executed again, or has its verdict;
//   - Expired: the end of a run that waited too long.
//
// The package is pure. Package store applies the rules to its rows, each in one transaction; package scheduler says
// when.
package queue
