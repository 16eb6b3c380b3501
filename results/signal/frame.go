package signal

import (
	"bytes"
	"hash/crc32"
	"strconv"
)

// Kinds of frames.
const (
	kindTrailer = iota
	kindManifest
	kindRecord
	kindExit
)

// maxDigits is how many a record's number and its run's may have each.
const maxDigits = 9

// fullNumber is how many bytes the number of a record, RUN.SEQ, takes at the start of text, and where its point is; 0
// for none.
func fullNumber(text []byte) (size, point int) {
	digits := func(from int) int {
		n := from
		for n < len(text) && n-from <= maxDigits && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		return n - from
	}
	point = digits(0)
	if point == 0 || point > maxDigits || point >= len(text) || text[point] != '.' {
		return 0, 0
	}
	seq := digits(point + 1)
	if seq == 0 || seq > maxDigits {
		return 0, 0
	}
	return point + 1 + seq, point
}

// frameAt is the frame that begins at i, of a record only its head; nil when there is none.
func frameAt(text []byte, i int) *frame {
	rest := text[i:]
	if bytes.HasPrefix(rest, []byte(Exit)) {
		return &frame{kind: kindExit, start: i, end: i + len(Exit)}
	}
	for kind, start := range []string{kindTrailer: trailerStart, kindManifest: ManifestStart, kindRecord: RecordStart} {
		if !bytes.HasPrefix(rest, []byte(start)) {
			continue
		}
		rest = rest[len(start):]
		n, point := fullNumber(rest)
		const sum = 8 // digits
		if n == 0 || len(rest) < n+1+sum+1 || rest[n] != ' ' {
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
		f.run, _ = strconv.Atoi(f.digits[:point])
		f.seq, _ = strconv.Atoi(f.digits[point+1:])
		return f
	}
	return nil
}

// frame is a complete thing of the protocol in a view.
type frame struct {
	kind       int
	start, end int
	run, seq   int
	digits     string // RUN.SEQ
	crc        uint32
	body       []byte // of a record
}

// checksum is the CRC-32 of "digits text", where digits are RUN.SEQ.
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
