// Package overlay builds what LAVA calls the overlay, and puts it into images.
//
// Content is a tree of files. Build makes the one rooted at /lava-<id>/, with the helper scripts, the environment and
// the test definitions. A Sink is one function that puts content into one kind of image; Sinks is their table.
//
// The helpers are ours, written from the strings that LAVA's parser knows. They print LAVA's signals byte for byte,
// each with a trailer of sequence number and checksum, and repeat all of them in a manifest at the end; package
// results/signal reads both. They are POSIX shell for busybox, dash and bash, and need cat, mkdir and rm beside the
// shell.
package overlay
