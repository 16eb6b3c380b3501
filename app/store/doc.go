// Package store keeps the lab's state: deliveries, checks, runs, runners, targets and leases. It is one SQL text for
// SQLite, the default, and PostgreSQL, for several replicas: `$1` placeholders, TEXT ids, BIGINT epoch milliseconds,
// BYTEA bytes (SQLite takes any type name), ON CONFLICT and RETURNING. Where the two must differ, the difference is in
// dialect.go.
//
// A table has a file; its rows are small structs, its operations methods of *Store. What must happen together takes a
// *Tx: a webhook's runs and the mark that it was handled, a run's change and the job that tells GitHub.
//
// Migrations are migrations/NNNN_what.sql, for goose. 0001-0099 are intake and checks; 0100 and on are runs, runners,
// targets and leases. One that has been released is never edited.
package store
