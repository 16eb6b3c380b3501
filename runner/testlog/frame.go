package testlog

import (
	"bytes"
	"hash/crc32"
	"strconv"
)

// What the helpers print.
const (
	trailerStart  = "<GANTRY_TRAILER "
	recordStart   = "<GANTRY_RECORD "
	manifestStart = "<GANTRY_MANIFEST "
	ownStart      = "<GANTRY_SIGNAL "
	lavaStart     = "<LAVA_"
	exitSignal    = "<LAVA_TEST_RUNNER EXIT>"
	manifestWord  = "GANTRY_MANIFEST"
)

// Kinds of frames.
const (
	kindTrailer = iota
	kindManifest
	kindRecord
	kindExit
)

// maxDigits is how many a record's number may have.
const maxDigits = 9

// frameAt is the frame that begins at i, of a record only its head; nil when there is none.
func frameAt(text []byte, i int) *frame {
	rest := text[i:]
	if bytes.HasPrefix(rest, []byte(exitSignal)) {
		return &frame{kind: kindExit, start: i, end: i + len(exitSignal)}
	}
	for kind, start := range []string{kindTrailer: trailerStart, kindManifest: manifestStart, kindRecord: recordStart} {
		if !bytes.HasPrefix(rest, []byte(start)) {
			continue
		}
		rest = rest[len(start):]
		n := 0
		for n < len(rest) && n <= maxDigits && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		const sum = 8 // digits
		if n == 0 || n > maxDigits || len(rest) < n+1+sum+1 || rest[n] != ' ' {
			return nil
		}
		last := byte('>')
		if kind == kindRecord {
			last = ' '
		}
		crc, err := strconv.ParseUint(string(rest[n+1:n+1+sum]), 16, 32)
		if err != nil || rest[n+1+sum] != last {
			return nil
		}
		f := &frame{kind: kind, start: i, end: i + len(start) + n + 1 + sum + 1, digits: string(rest[:n]), crc: uint32(crc)}
		f.seq, _ = strconv.Atoi(f.digits)
		return f
	}
	return nil
}

// frame is a complete thing of the protocol in a view.
type frame struct {
	kind       int
	start, end int
	seq        int
	digits     string // of seq
	crc        uint32
	body       []byte // of a record
}

// checksum is the CRC-32 of "digits text".
func checksum(digits string, text []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(digits+" ")), crc32.IEEETable, text)
}

func hex8(n uint32) string {
	const digits = "0123456789abcdef"
	var b [8]byte
	for i := range b {
		b[i] = digits[n>>(28-4*i)&15]
	}
	return string(b[:])
}
