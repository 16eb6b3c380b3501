package symbol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// lz4Block is the size of a block of the legacy frame, unpacked; only the last is smaller.
const lz4Block = 8 << 20

// lz4Magic begins lz4's legacy frame, which kernels are compressed with.
func lz4Magic() []byte { return []byte{0x02, 0x21, 0x4c, 0x18} }

var errLZ4 = errors.New("the lz4 data is broken")

// lz4Reader reads a legacy frame: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md.
type lz4Reader struct {
	src   io.Reader
	begun bool
	block []byte // unpacked, not yet read
	out   []byte
	in    []byte
}

func newLZ4(src io.Reader) *lz4Reader { return &lz4Reader{src: src} }

func (z *lz4Reader) Read(p []byte) (int, error) {
	for len(z.block) == 0 {
		if err := z.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.block)
	z.block = z.block[n:]
	return n, nil
}

// next unpacks a block. What is no block ends the frame: the kernel's build puts the unpacked size there.
func (z *lz4Reader) next() error {
	var word [4]byte
	if !z.begun {
		z.begun = true
		if _, err := io.ReadFull(z.src, word[:]); err != nil {
			return err
		}
		z.out = make([]byte, 0, lz4Block)
	}
	if len(z.out) > 0 && len(z.out) < lz4Block { // that was the last
		return io.EOF
	}
	if _, err := io.ReadFull(z.src, word[:]); err != nil {
		return io.EOF
	}
	size := binary.LittleEndian.Uint32(word[:])
	if size == 0 || size > lz4Block+lz4Block/255+16 {
		return io.EOF
	}
	if cap(z.in) < int(size) {
		z.in = make([]byte, size)
	}
	z.in = z.in[:size]
	if _, err := io.ReadFull(z.src, z.in); err != nil {
		return fmt.Errorf("%w: %w", errLZ4, err)
	}
	out, err := unpackLZ4(z.out[:0], z.in)
	z.out, z.block = out, out
	return err
}

// unpackLZ4 appends the unpacked block to dst, which has room for it.
func unpackLZ4(dst, src []byte) ([]byte, error) {
	for i := 0; i < len(src); {
		token := src[i]
		literals, next, err := lz4Length(src, i+1, int(token>>4))
		if err != nil || literals > len(src)-next || literals > cap(dst)-len(dst) {
			return dst, errLZ4
		}
		dst = append(dst, src[next:next+literals]...)
		if i = next + literals; i == len(src) {
			return dst, nil // the last sequence has literals only
		}
		if i+2 > len(src) {
			return dst, errLZ4
		}
		offset := int(binary.LittleEndian.Uint16(src[i:]))
		match, next, err := lz4Length(src, i+2, int(token&15))
		match += 4
		if err != nil || offset == 0 || offset > len(dst) || match > cap(dst)-len(dst) {
			return dst, errLZ4
		}
		for from := len(dst) - offset; match > 0; { // a match may overlap itself
			n := min(match, len(dst)-from)
			dst = append(dst, dst[from:from+n]...)
			from, match = from+n, match-n
		}
		i = next
	}
	return dst, errLZ4
}

// lz4Length reads the rest of a length whose first four bits are n.
func lz4Length(src []byte, at, n int) (length, next int, err error) {
	if n < 15 {
		return n, at, nil
	}
	for at < len(src) {
		b := src[at]
		at++
		if n += int(b); b < 255 {
			return n, at, nil
		}
	}
	return 0, at, errLZ4
}
