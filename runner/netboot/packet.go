package netboot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Packets of TFTP begin with one of these: RFC 1350, RFC 2347.
const (
	opRead  = 1
	opWrite = 2
	opData  = 3
	opAck   = 4
	opError = 5
	opOAck  = 6
)

// Codes of error packets.
const (
	codeOther    = 0
	codeNotFound = 1
	codeDenied   = 2
	codeIllegal  = 4
)

// What options may ask for. Asking for more gets this much, which RFC 2348 and RFC 7440 allow.
const (
	defaultBlock = 512
	minBlock     = 8
	maxBlock     = 65464
	maxWindow    = 64
	maxTimeout   = 30 // seconds; one that asks for more gets the default
)

// defaultTimeout is the wait for an acknowledgment before blocks are sent again.
const defaultTimeout = time.Second

// refused is an error that is sent to the client.
type refused struct {
	code uint16
	text string
}

func (r *refused) Error() string { return r.text }

// read is a request to read a file.
type read struct {
	name    string
	block   int // bytes
	window  int // blocks
	timeout time.Duration
	size    bool     // the client asks for the file's size
	answer  []string // options and values for the OACK, but for the size
}

// parseRead reads the first packet of a transfer.
func parseRead(b []byte) (*read, error) {
	if len(b) < 2 {
		return nil, errors.New("the packet is too short")
	}
	switch binary.BigEndian.Uint16(b) {
	case opRead:
	case opWrite:
		return nil, &refused{codeDenied, "files are only read"}
	default:
		return nil, &refused{codeIllegal, "not a request"}
	}
	words := strings.Split(string(b[2:]), "\x00")
	if len(words) < 3 || words[len(words)-1] != "" {
		return nil, &refused{codeIllegal, "the request is cut off"}
	}
	r := &read{name: words[0], block: defaultBlock, window: 1, timeout: defaultTimeout}
	if !strings.EqualFold(words[1], "octet") {
		return nil, &refused{codeIllegal, fmt.Sprintf("mode %.20q: only octet is served", words[1])}
	}
	for pair := range slices.Chunk(words[2:len(words)-1], 2) {
		if len(pair) == 2 {
			r.option(strings.ToLower(pair[0]), pair[1])
		}
	}
	return r, nil
}

// option takes an option, or leaves it out of the answer: then it does not hold.
func (r *read) option(name, value string) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0 || slices.Contains(r.answer, name):
		return
	case name == "blksize" && n >= minBlock:
		r.block = min(n, maxBlock)
		n = r.block
	case name == "windowsize" && n >= 1:
		r.window = min(n, maxWindow)
		n = r.window
	case name == "timeout" && n >= 1 && n <= maxTimeout:
		r.timeout = time.Duration(n) * time.Second
	case name == "tsize":
		r.size = true
		return
	default:
		return
	}
	r.answer = append(r.answer, name, strconv.Itoa(n))
}

// oack is the answer to a request's options; nil when there are none.
func (r *read) oack(size int64) []byte {
	answer := r.answer
	if r.size {
		answer = append(slices.Clone(answer), "tsize", strconv.FormatInt(size, 10))
	}
	if len(answer) == 0 {
		return nil
	}
	return append([]byte{0, opOAck}, strings.Join(answer, "\x00")+"\x00"...)
}

// ack is the block that a packet acknowledges, or the error that the client sends; what is neither is left alone.
func ack(b []byte) (block uint16, ok bool, err error) {
	if len(b) < 4 {
		return 0, false, nil
	}
	switch n := binary.BigEndian.Uint16(b[2:]); binary.BigEndian.Uint16(b) {
	case opAck:
		return n, true, nil
	case opError:
		text, _, _ := strings.Cut(string(b[4:]), "\x00")
		return 0, false, fmt.Errorf("the client ended the transfer: error %d: %q", n, text)
	}
	return 0, false, nil
}

// errorPacket is the answer to a request that is not served. Only a refused has its own text.
func errorPacket(err error) []byte {
	code, text := uint16(codeNotFound), "file not found"
	if r := (*refused)(nil); errors.As(err, &r) {
		code, text = r.code, r.text
	}
	b := binary.BigEndian.AppendUint16([]byte{0, opError}, code)
	return append(b, text+"\x00"...)
}
