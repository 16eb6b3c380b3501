// Package lab has the types that app and runner share: targets, trust, health, assignments, leases and outcomes. It
// does not know how they are sent, as package rpc does, or stored.
package lab
