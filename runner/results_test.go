package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/beside"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/plan"
	"github.com/gantry-ci/gantry/test/guest"
)

// virtio is the folder of the images whose guest has the drivers of a results port.
func virtio(t *testing.T) string {
	t.Helper()
	dir := images(t)
	if _, err := guest.MakeVirtio(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveResults runs a job with a results port; the ramdisk's init loads its drivers.
func serveResults(t *testing.T, dir string, change func(*dut.Target), steps ...string) (*results.Results, string) {
	t.Helper()
	src := source(t, func(p *params) {
		p.Ramdisk = "file:///ramdisk-virtio.cpio.gz"
		p.Steps, p.TestSeconds = list(steps...), 240
	})
	return serveOn(t, device+"results: virtio-serial\n", src, plan.Policy{
		FileRoots: []string{dir},
	}, func(o *runner.Options) { change(o.Target) })
}

// byDevice is how many of the cases named case-N are in the device's record. The run's own account is logged.
func byDevice(t *testing.T, dir string) int {
	t.Helper()
	events, err := os.ReadFile(filepath.Join(dir, results.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`results: \d+ cases, [^"]*`).Find(events)
	record, err := os.ReadFile(filepath.Join(dir, results.CopiesFile("")))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(
		`(?m)^@0\.\d+ <GANTRY_RECORD \d+\.\d+ [0-9a-f]{8} LAVA_SIGNAL_TESTCASE TEST_CASE_ID=(case-\d+) RESULT=pass>$`,
	).FindAllSubmatch(record, -1) {
		found[string(m[1])] = true
	}
	t.Logf("%s; %d cases in the device's record of %d bytes", m, len(found), len(record))
	return len(found)
}

// passes counts the cases named case-N that passed.
func passes(res *results.Results) (n int) {
	for _, c := range res.Cases {
		if strings.HasPrefix(c.Case, "case-") && c.Result == results.Pass {
			n++
		}
	}
	return n
}

// list writes steps as the job has them.
func list(steps ...string) string {
	var quoted []string
	for _, s := range steps {
		quoted = append(quoted, strconv.Quote(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// report is a step that reports so many cases, case-FROM being the first.
func report(from, n int) string {
	return fmt.Sprintf(
		"{ set +x; } 2>/dev/null; i=%d; while [ $i -lt %d ]; do lava-test-case case-$i --result pass; i=$((i + 1)); done",
		from, from+n,
	)
}

// TestResultsPort boots guests with a results port, and has port or console lose what they may.
func TestResultsPort(t *testing.T) {
	t.Parallel()
	root := virtio(t)
	const cases = 30
	same := func(*dut.Target) {}
	for _, tt := range []struct {
		name   string
		change func(*dut.Target)
		steps  []string
		low    int // how many results must be in the device's record
		high   int // and how many may
	}{
		{"a quiet console", same, []string{report(0, cases)}, cases, cases},
		{"a console full of the kernel's messages", same, []string{
			"dmesg -n 8; echo on >/proc/sys/kernel/printk_devkmsg",
			"(while echo '<4>noise: a message of the kernel, longer than a FIFO' >/dev/kmsg; do :; done) & echo $! >/tmp/noise",
			report(0, cases), "kill $(cat /tmp/noise)",
		}, cases, cases},
		{"a console without a result", same, []string{"exec >/dev/null 2>&1", report(0, cases)}, cases, cases},
		{
			"a console that spoils every signal", changed(func(g *dut.Guest) { g.Console = spoiled{g.Console} }),
			[]string{report(0, cases)},
			cases, cases,
		},
		{"a driver that is missing", same, []string{"sleep 1; rmmod virtio_console", report(0, cases)}, 0, 0},
		// Records that are on their way when the driver goes are lost with it, and the console's to bring.
		{
			"a driver that goes half way", same, []string{report(0, 10), "sleep 1; rmmod virtio_console", report(10, 20)}, 1, 10,
		},
		{
			"a port that another holds", same,
			[]string{"sleep 1; exec 9>/dev/vport0p1", report(0, cases), "exec 9>&-"},
			0,
			cases,
		},
		{"a host that reads when the guest is off", late, []string{report(0, cases)}, cases, cases},
		{"a host that does not read", changed(func(g *dut.Guest) { g.Results = deaf{g.Results} }), []string{
			"sleep 1; dd if=/dev/zero of=/dev/vport0p1 bs=32k & sleep 3; kill -9 $!", report(0, cases),
		}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, dir := serveResults(t, root, tt.change, tt.steps...)
			n := byDevice(t, dir)
			if res.Verdict.Verdict != results.Pass || passes(res) != cases || n < tt.low || n > tt.high {
				t.Errorf(
					"verdict %s (%s), %d of %d cases, %d by the device", res.Verdict.Verdict, res.Message, passes(res), cases, n,
				)
			}
		})
	}
}

// changed changes each guest of a target.
func changed(change func(*dut.Guest)) func(*dut.Target) {
	return func(t *dut.Target) { t.Guests = changedGuests{t.Guests, change} }
}

type changedGuests struct {
	dut.Guests
	change func(*dut.Guest)
}

func (c changedGuests) Guest(name string) dut.Guest {
	g := c.Guests.Guest(name)
	c.change(&g)
	return g
}

// spoiled is a console without a signal, manifest or end of a stage.
type spoiled struct{ dut.Console }

func (s spoiled) Open(ctx context.Context) (io.ReadWriteCloser, error) {
	rw, err := s.Console.Open(ctx)
	return spoiler{rw}, err
}

type spoiler struct{ io.ReadWriteCloser }

func (s spoiler) Read(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(b)
	copy(b, bytes.ReplaceAll(b[:n], []byte("<"), []byte("#")))
	return n, err
}

// deaf is a results port that is opened and not read.
type deaf struct{ dut.ResultsPort }

func (d deaf) OpenResults(ctx context.Context) (io.ReadWriteCloser, error) {
	rw, err := d.ResultsPort.OpenResults(ctx)
	return &silent{ReadWriteCloser: rw, closed: make(chan struct{})}, err
}

type silent struct {
	io.ReadWriteCloser
	closed chan struct{}
}

func (s *silent) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.EOF
}

func (s *silent) Close() error {
	close(s.closed)
	return s.ReadWriteCloser.Close()
}

// late makes the results ports of a target be read only when a guest has been switched off by the journal.
func late(t *dut.Target) {
	gone := make(chan struct{})
	has := sync.OnceFunc(func() { close(gone) })
	for kind, undo := range t.Undoers {
		t.Undoers[kind] = func(ctx context.Context, id string) error {
			defer has()
			return undo(ctx, id)
		}
	}
	changed(func(g *dut.Guest) { g.Results = heldResults{g.Results, gone} })(t)
}

type heldResults struct {
	dut.ResultsPort
	until chan struct{}
}

func (h heldResults) OpenResults(ctx context.Context) (io.ReadWriteCloser, error) {
	rw, err := h.ResultsPort.OpenResults(ctx)
	return held{rw, h.until}, err
}

type held struct {
	io.ReadWriteCloser
	until chan struct{}
}

func (h held) Read(b []byte) (int, error) {
	<-h.until
	return h.ReadWriteCloser.Read(b)
}

// TestResultsPortFlood writes a gigabyte to the port: the record stays bounded, and the results come by the console.
func TestResultsPortFlood(t *testing.T) {
	t.Parallel()
	root := virtio(t)
	const cases = 10
	res, dir := serveResults(
		t, root, func(*dut.Target) {}, "sleep 1; dd if=/dev/zero of=/dev/vport0p1 bs=32k count=32768", report(0, cases),
	)
	if n := byDevice(t, dir); res.Verdict.Verdict != results.Pass || passes(res) != cases || n > 0 {
		t.Errorf("verdict %s (%s), %d of %d cases, %d by the device", res.Verdict.Verdict, res.Message, passes(res), cases, n)
	}
	if st, err := os.Stat(filepath.Join(dir, results.CopiesFile(""))); err != nil || st.Size() != beside.DefaultMaxRecord {
		t.Errorf("the record: %v, %v", st, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, results.EventsFile))
	if err != nil || !bytes.Contains(b, []byte("the results device sent more than is kept")) {
		t.Errorf("the events say nothing of it: %v", err)
	}
}

// TestResultsPortUnasked gives no guest a port whose device file says nothing of one.
func TestResultsPortUnasked(t *testing.T) {
	t.Parallel()
	root := virtio(t)
	res, dir := serve(t, source(t, func(p *params) {
		p.Ramdisk, p.Steps = "file:///ramdisk-virtio.cpio.gz", list("lava-test-case none --shell '! ls /dev/vport0p1'")
	}), plan.Policy{FileRoots: []string{root}})
	check(t, res, verdict{"pass", "", "", "0_smoke/none=pass"})
	if _, err := os.Stat(filepath.Join(dir, results.CopiesFile(""))); err == nil {
		t.Error("there is a record of a device")
	}
}
