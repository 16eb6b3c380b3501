package plaintext

import "strings"

// Tail keeps the last bytes of what is written to it: the end of a program's output, which says why it ended. One
// goroutine may use it at a time, as that of exec.Cmd does until Wait returns.
type Tail struct {
	n   int
	buf []byte
}

// NewTail makes a Tail of at most n bytes.
func NewTail(n int) *Tail { return &Tail{n: n} }

// Write never fails.
func (t *Tail) Write(b []byte) (int, error) {
	t.buf = append(t.buf, b[max(0, len(b)-t.n):]...)
	if over := len(t.buf) - t.n; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

// String is the bytes that were kept, as valid UTF-8 without blanks around it.
func (t *Tail) String() string {
	return strings.TrimSpace(Valid(string(t.buf)))
}
