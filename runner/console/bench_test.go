package console

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// benchLine is what a kernel prints, as a terminal gets it.
const benchLine = "[    3.141592] usb 1-1: new high-speed USB device number 2 using xhci_hcd, idVendor=0951\r\n"

// benchText is n bytes of lines with a prompt every gap bytes.
func benchText(n, gap int) []byte {
	var b bytes.Buffer
	for next := gap; b.Len() < n; {
		b.WriteString(benchLine)
		if b.Len() >= next {
			b.WriteString("root@board:~# \r\n")
			next += gap
		}
	}
	return b.Bytes()
}

// benchPatterns is n patterns of which one hits: the kinds a boot waits for.
func benchPatterns(n int) []string {
	p := []string{`root@\w+:[^ ]*# `}
	for i := 1; i < n; i++ {
		switch i % 5 {
		case 0:
			p = append(p, fmt.Sprintf("Kernel panic - not syncing %d", i))
		case 1:
			p = append(p, fmt.Sprintf("board%d login:", i))
		case 2:
			p = append(p, fmt.Sprintf(`<LAVA_SIGNAL_X%d (\S+) ([^>]+)>`, i))
		case 3:
			p = append(p, fmt.Sprintf("Unhandled fault %d.*at 0x[0-9a-f]+", i))
		case 4:
			p = append(p, fmt.Sprintf("=> bootcmd%d|ERROR%d: ", i, i))
		}
	}
	return p
}

// BenchmarkCompile is what a step pays before it waits.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				newDFA(compileT(b, benchPatterns(n)...).prog)
			}
		})
	}
}

// memory is a stream that is read as fast as it can be.
type memory struct{ io.Reader }

func (memory) Write(b []byte) (int, error) { return len(b), nil }
func (memory) Close() error                { return nil }

const benchSize = 64 << 20

// BenchmarkMatch is matching alone, from memory.
func BenchmarkMatch(b *testing.B) {
	text := benchText(ringSize/2, 256<<10)
	for _, n := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			pats := compileT(b, benchPatterns(n)...)
			rec := fed(b)
			rec.feed(text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			m := matcher{rec: rec}
			m.use(pats)
			for b.Loop() {
				m.seek(0)
				for found := 0; ; found++ {
					_, ok, err := m.poll(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					if !ok {
						if found == 0 {
							b.Fatal("nothing found")
						}
						break
					}
				}
			}
		})
	}
}

// BenchmarkNoise is matching in what is no text.
func BenchmarkNoise(b *testing.B) {
	for name, fill := range map[string]string{"no UTF-8": "\xff", "UTF-8": "é日", "escapes": "\x1b[1;31mx\x1b[0m"} {
		b.Run(name, func(b *testing.B) {
			text := bytes.Repeat([]byte(fill), ringSize/2/len(fill))
			rec := fed(b)
			rec.feed(text)
			b.SetBytes(int64(len(text)))
			m := matcher{rec: rec}
			m.use(compileT(b, benchPatterns(50)...))
			for b.Loop() {
				m.seek(0)
				if _, ok, err := m.poll(b.Context()); ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// BenchmarkConsole is the whole engine from memory: read, record, match.
func BenchmarkConsole(b *testing.B) {
	text := benchText(benchSize, 1<<20)
	for _, n := range []int{0, 1, 10, 50} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			pats := compileT(b, benchPatterns(max(n, 1))...)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				f, err := os.Create(filepath.Join(b.TempDir(), "console.log"))
				if err != nil {
					b.Fatal(err)
				}
				c, err := New(memory{bytes.NewReader(text)}, f, Options{})
				if err != nil {
					b.Fatal(err)
				}
				s, err := c.Session(b.Context(), 0)
				if err != nil {
					b.Fatal(err)
				}
				found := 0
				for n > 0 {
					if _, err := s.Expect(b.Context(), pats); err != nil {
						break
					}
					found++
				}
				<-c.Ended()
				if n > 0 && found != bytes.Count(text, []byte("root@")) {
					b.Fatal("found", found)
				}
				s.Close()
				if err := c.Close(); err != nil {
					b.Fatal(err)
				}
				_ = f.Close()
			}
		})
	}
}

// BenchmarkTerminal is the whole engine on a pseudo terminal; patterns=-1 is a plain reader.
func BenchmarkTerminal(b *testing.B) {
	for _, n := range []int{-1, 1, 10, 50} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			c := &corpus{t: b, text: benchText(32<<20, 1<<20)}
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			var cpu time.Duration
			for b.Loop() {
				before := cpuTime(b)
				if n < 0 {
					c.plain("pty", false)
				} else {
					c.engine("pty", n)
				}
				cpu += cpuTime(b) - before
			}
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N)/float64(len(c.text)), "cpu-ns/B")
		})
	}
}

// cpuTime is the processor time that this process has used: what others do on the machine does not count.
func cpuTime(b testing.TB) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
