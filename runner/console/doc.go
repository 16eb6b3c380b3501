// Package console is the one reader of a target's serial stream.
//
// The record, a file, holds the raw bytes exactly and is the fan-out: a subscriber is a Cursor into it. A slow
// subscriber delays no other, and matcher, classifier, upload and live view see the same bytes at the same offsets.
// Between the stream and the file is a ring buffer of fixed size: recent bytes are read from the ring, older ones from
// the file, and a disk that stalls makes the reader wait instead of using memory.
//
// An attempt may have several consoles, each with a record of its own (Records).
//
// A Session is the right to write, and the position up to which the record was matched. Matching works on the text
// without carriage returns and terminal escapes; the offsets it reports are those of the record.
package console
