package qemu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// qcow2Magic begins every qcow2 file: "QFI\xfb".
const qcow2Magic = 0x514649fb

// What a stranger's image must not do: name other files, which QEMU would open for the guest.
var (
	errNotQcow2 = errors.New("it is not a qcow2 image")
	errBacking  = errors.New("it names a backing file")
	errDataFile = errors.New("it names an external data file")
)

// The parts of a qcow2 header that matter here, from QEMU's docs/interop/qcow2.txt.
const (
	headerV2         = 72
	incompatDataFile = 1 << 2
	extEnd           = 0
	extBacking       = 0xe2792aca // the backing file's format
	extDataFile      = 0x44415441 // the external data file's name
	maxExtensions    = 64
	maxExtensionSize = 1 << 20
)

// checkQcow2 refuses an image that refers to another file.
func checkQcow2(r io.ReaderAt) error {
	var h [104]byte
	if n, err := r.ReadAt(h[:], 0); n < headerV2 {
		return fmt.Errorf("%w: %w", errNotQcow2, err)
	}
	be := binary.BigEndian
	if be.Uint32(h[0:]) != qcow2Magic {
		return errNotQcow2
	}
	if be.Uint64(h[8:]) != 0 || be.Uint32(h[16:]) != 0 {
		return errBacking
	}
	length := int64(headerV2)
	switch version := be.Uint32(h[4:]); version {
	case 2:
	case 3:
		if be.Uint64(h[72:])&incompatDataFile != 0 {
			return errDataFile
		}
		if length = int64(be.Uint32(h[100:])); length < int64(len(h)) || length > 1<<16 {
			return fmt.Errorf("%w: a header of %d bytes", errNotQcow2, length)
		}
	default:
		return fmt.Errorf("%w: version %d", errNotQcow2, version)
	}
	return checkExtensions(r, length)
}

func checkExtensions(r io.ReaderAt, at int64) error {
	for range maxExtensions {
		var e [8]byte
		if _, err := r.ReadAt(e[:], at); err != nil {
			return fmt.Errorf("%w: header extensions: %w", errNotQcow2, err)
		}
		size := binary.BigEndian.Uint32(e[4:])
		switch binary.BigEndian.Uint32(e[:]) {
		case extEnd:
			return nil
		case extBacking:
			return errBacking
		case extDataFile:
			return errDataFile
		}
		if size > maxExtensionSize {
			return fmt.Errorf("%w: a header extension of %d bytes", errNotQcow2, size)
		}
		at += 8 + (int64(size)+7)&^7
	}
	return fmt.Errorf("%w: too many header extensions", errNotQcow2)
}
