// Package work has River's workers: the app's short control steps, which handle a delivery, write a check to GitHub,
// sweep, and delete old rows. Their jobs are inserted in the transaction that wants them, on SQLite and PostgreSQL
// alike, so that none is lost and none runs for nothing. River stays inside this package. Runs, which take hours, are
// rows with leases, scheduled by package scheduler, and never jobs of River.
package work
