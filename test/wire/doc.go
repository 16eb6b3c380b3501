// Package wire tests app and runner against each other: the real store, the real handler and the real agent, over
// loopback HTTP, with cut connections, lost leases and killed processes. Only the execution of a run is a small one.
package wire
