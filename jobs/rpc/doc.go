// Package rpc is the wire between app and runners: messages and service generated from gantryv1/runner.proto, and the
// conversion between them and the types of package lab. A job is sent as its source bytes.
//
// The runner makes every connection. One server stream (Watch) brings it assignments and cancels. Everything that it
// sends goes in unary calls, which pass ordinary HTTPS proxies and need no more than HTTP/1.1: logs and events in
// batches under 1 MB, by byte offset, so that a resend does no harm.
//
// App and runner one minor version apart work together: protobuf skips unknown fields, an unknown message on the stream
// is skipped, and the conversion gives an absent field its old meaning and an unknown word the most careful one. `buf
// breaking` against the last release keeps the numbers in place.
package rpc
