package symbol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// lz4Block is the size of a block of the legacy frame, unpacked; only the last is smaller.
const lz4Block = 8 << 20

// lz4Magic begins lz4's legacy frame, which kernels are compressed with.
func lz4Magic() []byte { return []byte{0x02, 0x21, 0x4c, 0x18} }

var errLZ4 = errors.New("the lz4 data is broken")

// lz4Reader reads a legacy frame: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md. The library's own reader
// refuses a block that could not be compressed, as the ones of a built-in initramfs, since it is larger packed.
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
	n, err := lz4.UncompressBlock(z.in, z.out[:lz4Block])
	if err != nil {
		return fmt.Errorf("%w: %w", errLZ4, err)
	}
	z.out = z.out[:n]
	z.block = z.out
	return nil
}
