// Package console is the one reader of a target's serial stream.
//
// The record (console.log) holds the raw bytes exactly and is the fan-out: a subscriber is a Cursor into it, so a slow
// one delays nobody, and matcher, classifier, upload and live view see the same bytes at the same offsets. Between the
// stream and the file is a ring of fixed size: recent bytes are read from it, older ones back from the file, and a disk
// that stalls makes the reader wait instead of using memory.
//
// A Session is the right to write and the place where matching goes on. Matching looks at the text without carriage
// returns and terminal escapes; the offsets it reports are those of the record.
package console
