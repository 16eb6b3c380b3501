// Package lab is what app and runner both speak of: targets, trust, health, assignments, leases and outcomes. It knows
// nothing of how they are sent (package rpc does) or stored.
package lab
