// Package work is the app's short control steps: handling a delivery, telling GitHub of a check, sweeping, forgetting
// old rows. They run on River, on SQLite and PostgreSQL alike, and are queued in the transaction that wants them, so
// that none is lost and none runs for nothing. River stays inside this package. Runs, which take hours, are rows with
// leases and never jobs of River.
package work
