package lavaequal

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The job of TestNoise: definitions, and cases in each.
const (
	noisySuites = 20
	noisyCases  = 12
)

// noisyDevice is the device with four processors, on which a message of the kernel gets in between the sixteen bytes
// that the serial port takes at a time.
func (b *bench) noisyDevice(t *testing.T) string {
	t.Helper()
	src, err := os.ReadFile(b.device)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "device.yaml")
	if err := os.WriteFile(
		file, []byte(strings.Replace(string(src), "- -m 512", "- -m 512 -smp 4", 1)), 0o600,
	); err != nil {
		t.Fatal(err)
	}
	return file
}

// noisyJob reports cases, every third of which fails, while the kernel talks all the time.
func noisyJob() string {
	var b strings.Builder
	b.WriteString("- test:\n    timeout: {minutes: 2}\n    definitions:\n")
	for n := range noisySuites {
		fmt.Fprintf(&b, "    - from: inline\n      name: s%[1]d\n      path: inline/%[1]d.yaml\n", n)
		b.WriteString(
			"      repository:\n        metadata: {format: Lava-Test Test Definition 1.0, name: s}\n        run:\n          " +
				"steps:\n",
		)
		if n == 0 {
			b.WriteString("          - echo on >/proc/sys/kernel/printk_devkmsg\n" +
				"          - (while [ ! -e /tmp/quiet ]; do echo '<1>the kernel says something at any moment' >/dev/kmsg; done) " +
				">/dev/null 2>&1 &\n")
		}
		fmt.Fprintf(
			&b,
			"          - set +x; i=0; while [ $((i+=1)) -le %d ]; do r=pass; [ $((i%%3)) = 0 ] && r=fail; lava-test-case "+
				"s%d-$i --result $r; done\n",
			noisyCases, n,
		)
		if n == noisySuites-1 {
			b.WriteString("          - touch /tmp/quiet; sleep 1\n")
		}
	}
	return b.String()
}

// tally is how one of the two came through the noise.
type tally struct{ right, lost, doubled, elsewhere, wrong, runs int }

func tallied(results []Result) (n tally) {
	seen := map[string]int{}
	for _, r := range results {
		if r.Suite == "lava" {
			n.runs++
			continue
		}
		home, number, _ := strings.Cut(strings.TrimPrefix(r.Case, "s"), "-")
		want := "pass"
		if i, err := strconv.Atoi(number); err != nil {
			continue
		} else if i%3 == 0 {
			want = "fail"
		}
		seen[r.Case]++
		switch {
		case seen[r.Case] > 1:
			n.doubled++
		case r.Suite != home+"_s"+home:
			n.elsewhere++
		case r.Result != want:
			n.wrong++
		default:
			n.right++
		}
	}
	n.lost = noisySuites*noisyCases - len(seen)
	return n
}

// TestNoise measures what becomes of results when chance has the kernel cut their lines.
func TestNoise(t *testing.T) {
	if !*withLAVA {
		t.Skip("a measurement of minutes; make trials TRIAL=noise")
	}
	if err := lavaMissing(); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	device, job := b.noisyDevice(t), noisyJob()
	const runs = 3
	var table strings.Builder
	table.WriteString(
		"\n| run | who | right | lost | doubled | in another suite | another result | runs that ended | verdict | its own " +
			"account | s |\n|---|---|--:|--:|--:|--:|--:|--:|---|---|--:|\n",
	)
	for i := range runs {
		theirs, ours := b.both(t, job, device)
		for _, o := range []struct {
			who string
			Outcome
		}{{"LAVA", theirs}, {"gantry", ours}} {
			n := tallied(o.Results)
			fmt.Fprintf(&table, "| %d | %s | %d | %d | %d | %d | %d | %d | %s | %s | %s |\n",
				i+1, o.who, n.right, n.lost, n.doubled, n.elsewhere, n.wrong, n.runs, o.Verdict, o.Repairs, seconds(o.Took))
		}
		if n := tallied(ours.Results); n.right != noisySuites*noisyCases && !strings.HasPrefix(ours.Verdict, "incomplete") ||
			n.doubled+n.elsewhere+n.wrong > 0 {
			t.Errorf("run %d: gantry %+v, %s", i+1, n, ours.Verdict)
		}
	}
	t.Log(table.String())
}
