package signal

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func BenchmarkParse(b *testing.B) {
	g := &guest{}
	g.signal("<LAVA_SIGNAL_STARTRUN 0_smoke 7_1.1.3.1>")
	for i := range 1000 {
		g.print(strings.Repeat(
			"[   12.345678] usb 1-1: new high-speed USB device number 2 using xhci_hcd\r\nsome output of a test\r\n", 10,
		))
		g.signal(fmt.Sprintf("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=case-%d RESULT=pass>", i))
	}
	g.signal("<LAVA_SIGNAL_ENDRUN 0_smoke 7_1.1.3.1>")
	g.manifest()
	g.exit()
	out := []byte(g.out.String())
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		p := New(Options{Sequenced: true}, func(Item) {})
		p.Feed(out, time.Time{})
		if sum := p.Close(); sum.Cases != 1000 || !sum.Complete() {
			b.Fatalf("%+v", sum)
		}
	}
}

// BenchmarkHostile reads what costs a parser most.
func BenchmarkHostile(b *testing.B) {
	for name, out := range map[string]string{
		"open":   strings.Repeat("<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=", 1<<12),
		"stamps": strings.Repeat("<LAVA_[    1.234567] ", 1<<12) + "<GANTRY_TRAILER 0.1 00000000>",
		"empty":  strings.Repeat("<LAVA_<GANTRY_TRAILER 0.1 00000000>\n", 1<<12),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				p := New(Options{Sequenced: true}, func(Item) {})
				p.Feed([]byte(out), time.Time{})
				p.Close()
			}
		})
	}
}
