package qemu

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// What real jobs ask for starts with a real QEMU, as a served job, with images nobody but root may read.
func TestAllowedStarts(t *testing.T) {
	needQEMU(t)
	img := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(img, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{
		"-drive file={image},format=raw,id=hd0,if=virtio",
		"-drive format=raw,file={image} -drive format=raw,file={second}",
		"-drive file={image},if=ide,format=raw -serial null -serial stdio",
		"-drive file={image},index=2,media=cdrom,readonly",
		"-drive if=none,file={image},id=hd0,format=raw -device virtio-blk-pci,drive=hd0",
		"-device virtio-scsi-pci,id=scsi0 -drive file={image},if=none,id=l,snapshot=on,cache=unsafe,discard=unmap " +
			"-device scsi-hd,drive=l,bus=scsi0.0",
		"-hda {image} -cdrom {second} -boot c", "-hda {image} -snapshot", "-pflash {image}",
		"-cpu host -machine q35,accel=kvm:tcg -enable-kvm",
		"-netdev user,id=n0 -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01",
		"-nic none -smp 2 -m 512 -vga none -rtc base=utc,clock=host",
		"-usb -device usb-storage,drive=hd0 -drive if=none,file={image},id=hd0",
		"-device virtio-rng-pci -device pvpanic -device i6300esb",
	} {
		g := newTestGuest(testOptions(testID(t)))
		g.Image("image", img)
		second := img + "2"
		if err := os.WriteFile(second, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		g.Image("second", second)
		if err := g.Args(arg); err != nil {
			t.Fatal(err)
		}
		if err := g.On(t.Context()); err != nil {
			t.Errorf("%s: %v", arg, err)
		}
		if err := g.Off(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Switching on and off leaves no descriptor behind.
func TestNoLeak(t *testing.T) {
	needQEMU(t)
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	cycle := func(g *testGuest, read bool) {
		if err := g.On(t.Context()); err != nil {
			t.Fatal(err)
		}
		if read {
			c, err := g.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
		if err := g.Off(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	g := newTestGuest(testOptions(testID(t)))
	cycle(g, true) // what the runtime opens once
	before := open()
	for i := range 6 {
		cycle(g, i%2 == 0)
	}
	if after := open(); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// A runner that is killed at any moment of a guest's start leaves none.
func TestKilledAnytime(t *testing.T) {
	needQEMU(t)
	kills := 10
	if testing.Short() {
		kills = 3
	}
	for i := range kills {
		id := testID(t) + "-" + strings.Repeat("x", i+1)
		runner := startRunner(t, id)
		time.Sleep(time.Duration(i) * 15 * time.Millisecond) // the moment, from before the process exists to after it runs
		if err := runner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = runner.Wait()
		// The kernel kills the guest when the runner's thread ends; Kill waits for that, and is what a new runner does.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for !isGone(t, id) && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
		if !isGone(t, id) {
			t.Errorf("killed after %v: a guest is left", time.Duration(i)*15*time.Millisecond)
		}
	}
}

// Every image_arg of the corpus' QEMU jobs is allowed to a served job. Others are for other emulators and boards.
func TestCorpus(t *testing.T) {
	jobs, _ := filepath.Glob("../../../shared/corpus/*/jobs/*.yaml")
	more, _ := filepath.Glob("../../../shared/corpus/tuxlava/*.yaml")
	if jobs = append(jobs, more...); len(jobs) == 0 {
		t.Skip("there is no corpus at ../shared")
	}
	args := map[string]bool{}
	for _, name := range jobs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(b, &doc); err == nil {
			collect(&doc, args)
		}
	}
	n := 0
	for arg := range args {
		if !strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "--alt") {
			continue // kernel arguments of a board, dfu-util's
		}
		n++
		o := testOptions("corpus")
		o.Limits = Limits{MemoryMiB: 8192, CPUs: 8}
		if err := newTestGuest(o).Args(arg); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d different arguments of %d files", n, len(jobs))
	if n == 0 {
		t.Error("the corpus has no image_arg")
	}
}

func collect(n *yaml.Node, args map[string]bool) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "image_arg" && c.Kind == yaml.ScalarNode {
			args[c.Value] = true
		}
		collect(c, args)
	}
}
