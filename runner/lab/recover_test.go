package lab

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/runner/dut"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/test/guest"
	"github.com/gantry-ci/gantry/vmhost/qemu"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

// strip is a power strip: a folder with a file for each outlet that is on. Outlets drives it for boards: a driver of
// this test, which decodes its own section of a device file and has one row in the table.
type strip struct{ dir string }

func (s strip) file(outlet string) string { return filepath.Join(s.dir, outlet) }

func (s strip) isOn(outlet string) bool {
	_, err := os.Stat(s.file(outlet))
	return err == nil
}

// outlet is one of the strip's.
type outlet struct {
	strip strip
	name  string
}

func (o outlet) On(context.Context) error  { return os.WriteFile(o.strip.file(o.name), nil, 0o600) }
func (o outlet) Off(context.Context) error { return os.RemoveAll(o.strip.file(o.name)) }

// maker is the row. An outlet's identity says which it is on this strip, so that no device file is needed to cut it.
func (s strip) maker() dut.Maker {
	return dut.Maker{
		Name: "a board on the strip (power: {driver: strip})",
		Takes: func(d *jobs.Device) bool {
			return d.Power != nil && d.Power.Get("driver") != nil && d.Power.Get("driver").Text == "strip"
		},
		Make: func(d *jobs.Device, _ dut.Options) (*dut.Target, error) {
			o := outlet{s, d.Power.Get("outlet").Text}
			return &dut.Target{Power: &dut.Power{Switch: o, Undo: journal.Undo{Kind: "strip-outlet", Arg: o.name}}}, nil
		},
		Undoers: func(dut.Options) journal.Undoers {
			cut := func(ctx context.Context, name string) error { return outlet{s, name}.Off(ctx) }
			return journal.Undoers{"strip-outlet": cut}
		},
	}
}

// parse reads a device file.
func parse(t *testing.T, src string) *jobs.Device {
	t.Helper()
	d, report := jobs.ParseDevice([]byte(src))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

// boards are three of each sort: on the strip, and with commands as LAVA's device files have them. Each command names
// the board's own outlet.
func boards(t *testing.T, s strip) *Executor {
	t.Helper()
	c := &Config{Devices: map[string]*jobs.Device{}}
	for i := range 3 {
		short := fmt.Sprintf("name: strip-%d\ntype: board\npower: {driver: strip, outlet: strip-%d}\n", i, i)
		lava := fmt.Sprintf(`hostname: lava-%[1]d
devicetype: board
commands: {power_on: "touch %[2]s", power_off: ["rm -f %[2]s"]}
constants: {}
parameters: {}
actions: {deploy: {methods: {}}, boot: {methods: {}, connections: {}}}
timeouts: {actions: {}, connections: {}}
`, i, s.file(fmt.Sprintf("lava-%d", i)))
		for _, src := range []string{short, lava} {
			d := parse(t, src)
			c.Devices[d.Name] = d
		}
	}
	return &Executor{Config: c, Logger: slog.New(slog.DiscardHandler), Makers: append(dut.Makers(), s.maker())}
}

// crashed is the folder of a run of which the runner crashed when it had given power.
func crashed(t *testing.T, x *Executor, a lab.Assignment) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), a.Lease)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	target, err := dut.New(x.Config.Devices[a.Target], x.target(a))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), target.Undoers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if err := j.Before(target.Power.Undo.Kind, target.Power.Undo.Arg); err != nil {
		t.Fatal(err)
	}
	if err := target.Power.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRecoverOwnTarget crashes a run on one of several boards that are all on. Recovery cuts the power of that one, and
// of no other, however often and whichever it is.
func TestRecoverOwnTarget(t *testing.T) {
	for _, driver := range []string{"strip", "lava"} {
		for i := range 3 {
			s := strip{t.TempDir()}
			x := boards(t, s)
			for name, d := range x.Config.Devices {
				other, err := dut.New(d, x.target(lab.Assignment{Lease: "other"}))
				if err != nil {
					t.Fatal(err)
				}
				if err := other.Power.On(t.Context()); err != nil || !s.isOn(name) {
					t.Fatalf("%s is not on: %v", name, err)
				}
			}
			own := fmt.Sprintf("%s-%d", driver, i)
			a := lab.Assignment{Run: "r1", Lease: "lease-1", Target: own}
			for range 20 { // a map has its own order each time
				dir := crashed(t, x, a)
				if err := x.Recover(t.Context(), a, dir); err != nil {
					t.Fatal(err)
				}
				for name := range x.Config.Devices {
					if s.isOn(name) == (name == own) {
						t.Fatalf("the run was on %s: the power of %s is on: %t", own, name, s.isOn(name))
					}
				}
			}
		}
	}
}

// TestRecoverWithoutDevice recovers runs whose device files are gone, or name each other's outlets meanwhile: what the
// run has switched on is cut all the same, and the outlet that the file names now stays on.
func TestRecoverWithoutDevice(t *testing.T) {
	for _, driver := range []string{"strip", "lava"} {
		for name, device := range map[string]string{"gone": "", "rewired": driver + "-2"} {
			s := strip{t.TempDir()}
			x := boards(t, s)
			own, other := driver+"-1", driver+"-2"
			a := lab.Assignment{Run: "r1", Lease: "lease-1", Target: own}
			dir := crashed(t, x, a)
			if err := os.WriteFile(s.file(other), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			now := *x
			now.Config = &Config{Devices: map[string]*jobs.Device{}}
			if d := x.Config.Devices[device]; d != nil {
				moved := *d
				moved.Name = own
				now.Config.Devices[own] = &moved
			}
			if err := now.Recover(t.Context(), a, dir); err != nil || s.isOn(own) || !s.isOn(other) {
				t.Errorf("%s, %s: %v; on: %t, the other: %t", own, name, err, s.isOn(own), s.isOn(other))
			}
		}
	}
}

// TestRecoverUnreadableOutlet has an entry that names no outlet: it is an error, and stays to be taken back.
func TestRecoverUnreadableOutlet(t *testing.T) {
	s := strip{t.TempDir()}
	x := boards(t, s)
	for arg, want := range map[string]string{
		`lava-1`:                 "read the outlet of a board",
		`{\"board\":\"lava-1\"}`: "cut the power of lava-1: cut power: there is no command",
		`{\"power_off\":[\"\"]}`: "the command is empty",
	} {
		dir := t.TempDir()
		line := `{"id":1,"do":{"kind":"board-power","arg":"` + arg + `"}}` + "\n"
		if err := os.WriteFile(filepath.Join(dir, "journal"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err := x.Recover(t.Context(), lab.Assignment{Run: "r1", Lease: "lease-1", Target: "lava-1"}, dir)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", arg, err, want)
			}
		}
	}
}

// guestOf is a guest of an attempt, of a device that the runner need not have. It executes nothing.
func guestOf(t *testing.T, attempt, name string) vm.Guest {
	t.Helper()
	guest.Need(t)
	g := qemu.New(qemu.Options{
		ID: attempt, Trust: qemu.Operator,
		Machine: qemu.Machine{Binary: "qemu-system-x86_64", Options: []string{"-m 16", "-S"}},
	}).Guest(name)
	if err := g.On(t.Context(), vm.Spec{NoKVM: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Off(context.WithoutCancel(t.Context())) })
	return g
}

// base is a journal as runners wrote it that knew one guest, which they named after the target: the folder DIR has the
// images of a run that has retried its deploy and then booted.
func base(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/journal-one-guest")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// TestRecoverJournals takes back the guests of journals: by their ids, and where a runner of before this one had only
// the target's name, by the lease. The device file may be gone, the guests of other leases stay.
func TestRecoverJournals(t *testing.T) {
	const lease, other = "lease-journals", "lease-journals-2"
	for name, lines := range map[string][]string{
		"old": base(t),
		"new": {`{"id":1,"do":{"kind":"qemu-guest","arg":"` + lease + `"}}`},
		"second guest": {
			`{"id":1,"do":{"kind":"qemu-guest","arg":"` + lease + `"}}`,
			`{"id":2,"do":{"kind":"qemu-guest","arg":"` + vm.ID(lease, "second") + `"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, second, stays := guestOf(t, lease, ""), guestOf(t, lease, "second"), guestOf(t, other, "")
			dir := filepath.Join(t.TempDir(), lease)
			if err := os.MkdirAll(filepath.Join(dir, "images"), 0o700); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "DIR", dir)
			if err := os.WriteFile(filepath.Join(dir, "journal"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			x := NewExecutor(&Config{Devices: map[string]*jobs.Device{
				"qemu-0": parse(t, "name: qemu-0\ntype: qemu\nboot: {qemu: {command: qemu-system-x86_64}}\n"),
			}}, slog.New(slog.DiscardHandler))
			if err := x.Recover(t.Context(), lab.Assignment{Run: "r1", Lease: lease, Target: "qemu-1"}, dir); err != nil {
				t.Fatal(err)
			}
			for g, lives := range map[vm.Guest]bool{first: false, second: name != "second guest", stays: true} {
				if lives && !runs(g) {
					t.Error("a guest of another lease, or one that no journal names, was killed")
				}
				if !lives {
					ends(t, g)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "images")); (err == nil) == (name == "old") {
				t.Errorf("images: %v", err)
			}
		})
	}
}

func runs(g vm.Guest) bool {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := g.Wait(ended)
	return err != nil
}

// endLimit is for a guest that was killed to be reaped on a busy machine: this process is its parent, and recovery
// waits for no more than its death.
const endLimit = time.Minute

func ends(t *testing.T, g vm.Guest) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), endLimit)
	defer cancel()
	if _, err := g.Wait(ctx); err != nil {
		t.Errorf("a guest of the journal still runs: %v", err)
	}
}
