// Package gantryv1 is generated from runner.proto: the messages, client and handler of the wire between app and runner.
// Package rpc turns the messages into the plain types that the rest of gantry uses.
package gantryv1
