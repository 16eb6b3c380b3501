// Package store keeps the lab's state: deliveries, checks, runs, runners, targets and leases. It is one SQL text for
// SQLite, the default, and PostgreSQL, for several replicas: `$1` placeholders, TEXT ids, BIGINT epoch milliseconds,
// BYTEA bytes (SQLite takes any type name), ON CONFLICT and RETURNING. Where the two must differ, the difference is in
// dialect.go.
//
// Each table has a file, or a file for each of its uses; rows are small structs, and operations are methods of *Store.
// Operations that must happen together take a *Tx: the runs of a webhook and its end, the change of a run and the job
// that writes its check.
//
// Migrations are migrations/NNNN_what.sql, for goose. 0001-0099 are intake and checks; 0100 and on are runs, runners,
// targets and leases. One that has been released is never edited.
package store
