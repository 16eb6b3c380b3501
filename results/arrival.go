package results

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"time"
)

// ArrivalSize is the bytes of a mark in console.times. All are of one length, so that the file can be searched by
// halves.
const ArrivalSize = 16 + 1 + len(arrivalLayout) + 1

const (
	arrivalFormat = "%016d %s\n"
	arrivalLayout = "2006-01-02T15:04:05.000000Z"
)

// Arrival says when the bytes of a console came that begin at an offset of its record: those up to the next mark came a
// millisecond later at most. Its line in console.times is the offset, of 16 digits, a space, and the time in UTC to the
// microsecond.
type Arrival struct {
	Offset int64
	Time   time.Time
}

// Append adds the mark's line.
func (a Arrival) Append(b []byte) []byte {
	return fmt.Appendf(b, arrivalFormat, a.Offset, a.Time.UTC().Format(arrivalLayout))
}

// ParseArrival reads a mark's line.
func ParseArrival(line string) (a Arrival, err error) {
	var at string
	if _, err = fmt.Sscanf(line, arrivalFormat, &a.Offset, &at); err == nil {
		a.Time, err = time.Parse(arrivalLayout, at)
	}
	if err != nil || len(line) != ArrivalSize {
		return a, fmt.Errorf("read console times: %.60q is no mark", line)
	}
	return a, nil
}

// ArrivalAt looks up in the size bytes of a console.times when the byte at the offset came; false where nothing says
// so.
func ArrivalAt(times io.ReaderAt, size, offset int64) (time.Time, bool, error) {
	var failed error
	mark := func(i int) (a Arrival) {
		line := make([]byte, ArrivalSize)
		_, err := times.ReadAt(line, int64(i)*int64(ArrivalSize))
		if err == nil {
			a, err = ParseArrival(string(line))
		}
		failed = errors.Join(failed, err)
		return a
	}
	i := sort.Search(int(size/int64(ArrivalSize)), func(i int) bool { return failed != nil || mark(i).Offset > offset })
	if i == 0 || failed != nil {
		return time.Time{}, false, failed
	}
	return mark(i - 1).Time, failed == nil, failed
}
