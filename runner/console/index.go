package console

import (
	"bytes"
	"io"
	"os"
	"sort"
	"time"

	"github.com/gantry-ci/gantry/results"
)

// marks is the most entries of an index in memory. A full index drops every second entry, so that it is bounded for any
// stream.
const marks = 16 << 10

// lineIndex has, for each multiple of stride bytes, how many lines end before it.
type lineIndex struct {
	stride int64 // 0 before the first byte
	counts []int64
	off    int64
	lines  int64
}

// lineStride is the first distance of two marks: at most that many bytes are counted for a look-up.
const lineStride = 16 << 10

// load counts the lines of what was recorded before.
func (x *lineIndex) load(r io.Reader) error {
	buf := make([]byte, readSize)
	for {
		n, err := r.Read(buf)
		x.add(buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// add counts the next bytes of the record.
func (x *lineIndex) add(b []byte) {
	if x.stride == 0 {
		x.stride, x.counts = lineStride, append(x.counts, 0)
	}
	for len(b) > 0 {
		n := min(int64(len(b)), x.stride-x.off%x.stride)
		x.lines += int64(bytes.Count(b[:n], []byte("\n")))
		x.off, b = x.off+n, b[n:]
		if x.off%x.stride == 0 {
			x.counts = append(x.counts, x.lines)
			x.thin()
		}
	}
}

// thin drops every second mark of a full index.
func (x *lineIndex) thin() {
	if len(x.counts) <= marks {
		return
	}
	for i := 0; 2*i < len(x.counts); i++ {
		x.counts[i] = x.counts[2*i]
	}
	x.counts = x.counts[:(len(x.counts)+1)/2]
	x.stride *= 2
}

// before returns the nearest mark at or before off, and how many lines end before it.
func (x *lineIndex) before(off int64) (mark, lines int64) {
	if x.stride == 0 || off <= 0 {
		return 0, 0
	}
	i := min(off/x.stride, int64(len(x.counts)-1))
	return i * x.stride, x.counts[i]
}

func (r *record) lineAt(off int64) int {
	r.mu.Lock()
	off = min(off, r.head)
	at, lines := r.lines.before(off)
	r.mu.Unlock()
	buf := make([]byte, min(max(off-at, 0), readSize))
	for at < off {
		n, err := r.readAt(buf[:min(off-at, int64(len(buf)))], at)
		if err != nil || n == 0 {
			break // the cursors report that the record cannot be read
		}
		lines += int64(bytes.Count(buf[:n], []byte("\n")))
		at += int64(n)
	}
	return int(lines) + 1
}

// timeStep is the least distance of two times: finer than people or tests need, and 300 bytes at 3 Mbaud.
const timeStep = time.Millisecond

// timesPending is the most bytes of times that wait for the disk.
const timesPending = 64 << 10

type timeMark struct {
	off int64
	at  time.Time
}

// timeIndex has the times at which bytes arrived.
type timeIndex struct {
	file    *os.File
	step    time.Duration
	marks   []timeMark
	last    time.Time // of the file
	pending []byte
}

func (x *timeIndex) open(file *os.File) error {
	x.file, x.step = file, timeStep
	if file == nil {
		return nil
	}
	_, err := file.Seek(0, io.SeekEnd)
	return err
}

func (x *timeIndex) add(off int64, at time.Time) {
	if x.file != nil && at.Sub(x.last) >= timeStep && len(x.pending) < timesPending {
		x.pending = results.Arrival{Offset: off, Time: at}.Append(x.pending)
		x.last = at
	}
	if n := len(x.marks); n > 0 && at.Sub(x.marks[n-1].at) < x.step {
		return
	}
	x.marks = append(x.marks, timeMark{off, at})
	for len(x.marks) > marks {
		x.step *= 2
		kept := x.marks[:1]
		for _, m := range x.marks[1:] {
			if m.at.Sub(kept[len(kept)-1].at) >= x.step {
				kept = append(kept, m)
			}
		}
		x.marks = kept
	}
}

// unwritten returns the lines that are to be written, and forgets them.
func (x *timeIndex) unwritten() []byte {
	b := x.pending
	x.pending = nil
	return b
}

func (x *timeIndex) write(b []byte) error {
	_, err := x.file.Write(b)
	return err
}

func (r *record) timeAt(off int64) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.times.marks
	i := sort.Search(len(m), func(i int) bool { return m[i].off > off })
	if i == 0 {
		return time.Time{}
	}
	return m[i-1].at
}
