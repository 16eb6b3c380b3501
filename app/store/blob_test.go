package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

func openTestBlobs(t *testing.T) (*Blobs, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "runs")
	b, err := OpenBlobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, dir
}

func TestBlobLimit(t *testing.T) {
	b, dir := openTestBlobs(t)
	if _, err := b.Append("r", 1, lab.Events, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "r", "1", "events.jsonl")
	if err := os.Truncate(path, MaxEvents-3); err != nil { // sparse
		t.Fatal(err)
	}
	size, err := b.Append("r", 1, lab.Events, MaxEvents-3, []byte("12345"))
	if !errors.Is(err, ErrTooLarge) || size != MaxEvents {
		t.Errorf("over the limit: %d, %v", size, err)
	}
	if size, err = b.Append("r", 1, lab.Events, MaxEvents-3, []byte("123")); err != nil || size != MaxEvents {
		t.Errorf("a resend at the limit: %d, %v", size, err)
	}
	if _, err = b.Append("r", 1, lab.Events, MaxEvents, []byte("6")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("at the limit: %v", err)
	}
}

// A path that leads out of the folder is refused, whatever the name of the run.
func TestBlobPaths(t *testing.T) {
	b, dir := openTestBlobs(t)
	for _, run := range []string{"../x", "/etc", "..", "a/../../.."} {
		if _, err := b.Append(run, 1, lab.Console, 0, []byte("x")); err == nil && run != "/etc" {
			t.Errorf("%q: stored", run)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 1 {
		t.Errorf("outside of the folder: %v, %v", entries, err)
	}
	if _, err := b.Open("none", 1, lab.Console); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no stream: %v", err)
	}
}

func TestFoldEvents(t *testing.T) {
	line := func(seq int, rest string) string {
		return fmt.Sprintf(`{"seq":%d,"time":"2026-01-02T03:04:05Z",%s}`+"\n", seq, rest)
	}
	cas := func(seq int) string { return line(seq, `"case":{"suite":"0_x","case":"c","result":"pass"}`) }
	verdict := func(seq int) string { return line(seq, `"verdict":{"verdict":"pass","complete":true}`) }
	for what, c := range map[string]struct {
		in    string
		cases int
		lost  bool
	}{
		"nothing":                 {"", 0, false},
		"all":                     {cas(1) + cas(2) + verdict(3), 2, false},
		"an unfinished line":      {cas(1) + strings.TrimSuffix(cas(2), "\n"), 1, false},
		"a gap":                   {cas(1) + cas(3), 2, true},
		"a line twice":            {cas(1) + cas(1), 1, true},
		"no JSON":                 {cas(1) + "\x00\xff\n" + cas(2), 2, true},
		"an empty line":           {cas(1) + "\n", 1, true},
		"a line above the limit":  {cas(1) + strings.Repeat("x", 3*maxLine) + "\n" + cas(3), 2, true},
		"an endless line":         {cas(1) + strings.Repeat("x", 3*maxLine), 1, true},
		"an enormous number":      {cas(1) + cas(1<<62) + cas(2), 2, true},
		"nothing but a newer one": {line(1, `"of_the_future":{}`) + cas(2), 1, false},
	} {
		res, lost, err := FoldEvents(strings.NewReader(c.in))
		if err != nil || len(res.Cases) != c.cases || lost > 0 != c.lost {
			t.Errorf("%s: %d cases, %d lost, %v", what, len(res.Cases), lost, err)
		}
	}
}

func FuzzFoldEvents(f *testing.F) {
	f.Add(`{"seq":1,"case":{"suite":"s","case":"c","result":"pass"}}` + "\n")
	f.Add(`{"seq":1,"verdict":{"verdict":"pass"}}` + "\n" + `{"seq":9}` + "\n")
	f.Fuzz(func(t *testing.T, in string) {
		res, lost, err := FoldEvents(strings.NewReader(in))
		if err != nil || lost < 0 || res == nil {
			t.Errorf("%v, %d, %v", res, lost, err)
		}
		if res.Count(results.Pass) > strings.Count(in, "\n") {
			t.Error("more cases than lines")
		}
	})
}

// TestFurtherConsoles: of an attempt that sends too many consoles at once, the allowed number is kept, each bounded.
func TestFurtherConsoles(t *testing.T) {
	b, dir := openTestBlobs(t)
	var wg sync.WaitGroup
	var refused atomic.Int32
	for i := range 3 * results.MaxConsoles {
		wg.Go(func() {
			for _, s := range []lab.Stream{
				lab.TimesStream(fmt.Sprintf("uart%02d", i)), lab.ConsoleStream(fmt.Sprintf("uart%02d", i)),
			} {
				if _, err := b.Append("r", 1, s, 0, []byte("x")); errors.Is(err, ErrTooLarge) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	names, err := b.Consoles("r", 1)
	if err != nil || len(names) != results.MaxConsoles || refused.Load() != 2*2*results.MaxConsoles {
		t.Fatalf("consoles %q, %d refused, %v", names, refused.Load(), err)
	}
	if names, err := b.Consoles("none", 1); err != nil || len(names) != 0 {
		t.Errorf("of no run: %q, %v", names, err)
	}
	const most = MaxConsole / results.MaxConsoles
	s := lab.ConsoleStream(names[0])
	if err := os.Truncate(filepath.Join(dir, "r", "1", s.File()), most); err != nil { // sparse
		t.Fatal(err)
	}
	if _, err := b.Append("r", 1, s, most, []byte("y")); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
}
