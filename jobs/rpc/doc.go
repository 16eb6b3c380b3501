// Package rpc is the wire between app and runners: messages and service generated from gantryv1/runner.proto, and the
// one conversion between them and the plain types of package lab. A job travels as its source bytes.
//
// The runner makes every connection. One server stream (Watch) brings it assignments and cancels; everything it says
// goes in unary calls, which pass ordinary HTTPS proxies and need nothing but HTTP/1.1: logs and events in batches
// under 1 MB, by byte offset, so that a resend is harmless.
//
// App and runner one minor version apart work together: protobuf skips fields it does not know, an unknown message on
// the stream is skipped, and the conversion takes an absent field for its old meaning and an unknown word for the most
// careful one. `buf breaking` against the last release holds the numbers in place.
package rpc
