// Package scheduler moves runs through the queue. It has the clock; package queue has the rules, and package store the
// rows.
//
//	a waiting run gets a target   when a run is queued or a target becomes idle, else each second   queue.Assign
//	a lease is extended           by its runner's heartbeats and uploads                            queue.RenewLease
//	an attempt ends               by its runner's report (Finish, CutOff), or when its lease runs   queue.Verdict
//	                              out, which is looked for each second
//	and is then made again        in the transaction that ends it                                   queue.After
//	a run ends unserved           when it has waited for too long, looked for each second           queue.Expired
//
// Each replica of the app has a scheduler: transactions keep them apart.
package scheduler
