// Package scheduler moves runs through the queue. It has the clock; package queue has the rules, and package store the
// rows.
//
//	what happens              when                                              by the rule
//	a target is leased        a run is queued, a target becomes idle; polled    queue.Assign
//	a lease is extended       its runner sends a heartbeat or an upload         queue.RenewLease
//	an attempt ends           its runner reports its end (Finish, CutOff)       queue.Verdict
//	                          its lease runs out; polled                        queue.Interrupted
//	the run is retried        in the transaction that ends the attempt          queue.After
//	a waiting run is ended    it has waited for too long; polled                queue.Expired
//
// Polling is each second. Each replica of the app has a scheduler; transactions keep them apart.
package scheduler
