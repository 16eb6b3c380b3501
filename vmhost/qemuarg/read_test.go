package qemuarg

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What LAVA's device file and a job say, in fields.
func TestRead(t *testing.T) {
	opts, err := Parse(`-nographic -machine q35,accel=kvm:tcg,smm=on -cpu host,migratable=no -m 2G -smp cpus=4,cores=2
		-kernel {kernel} --append 'console=ttyS0 root=/dev/vda' -initrd {ramdisk} -serial null -serial stdio
		-drive file={disk},,1,format=qcow2,if=none,id=d,media=disk,cache=unsafe -hdb {second} -cdrom {third}
		-device virtio-blk-pci,drive=d,id=b -net nic,model=virtio,macaddr=52:54:00:12:34:59 
		-netdev user,id=n,restrict=on`, FromJob)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(opts)
	if err != nil {
		t.Fatal(err)
	}
	want := Machine{
		Type: "q35", Accel: "kvm:tcg", MemoryMiB: 2048, CPUs: 4, CPU: "host,migratable=no",
		Kernel: "{kernel}", Initrd: "{ramdisk}", Append: "console=ttyS0 root=/dev/vda", Serials: []string{"null", "stdio"},
		Drives: []Drive{
			{
				File: "{disk},1", Format: "qcow2", Interface: "none", ID: "d", Media: "disk",
				More: Props{{Key: "cache", Value: "unsafe"}},
			},
			{File: "{second}", Media: "disk", More: Props{{Key: "index", Value: "1"}}},
			{File: "{third}", Media: "cdrom", ReadOnly: true, More: Props{{Key: "index", Value: "2"}}},
		},
		Networks: []Network{
			{Type: "nic", Model: "virtio", MAC: "52:54:00:12:34:59"},
			{Type: "user", ID: "n", More: Props{{Key: "restrict", Value: "on"}}},
		},
		Devices: []Device{{Driver: "virtio-blk-pci", ID: "b", More: Props{{Key: "drive", Value: "d"}}}},
		Rest: []Option{
			{Name: "nographic"}, {Name: "machine", Value: "smm=on", HasValue: true},
		},
	}
	ignore := cmp.Options{
		cmpopts.IgnoreFields(Drive{}, "Option"), cmpopts.IgnoreFields(Network{}, "Option"),
		cmpopts.IgnoreFields(Device{}, "Option"), cmpopts.IgnoreFields(Option{}, "From", "Source"), cmpopts.EquateEmpty(),
	}
	if d := cmp.Diff(want, got, ignore); d != "" {
		t.Error(d)
	}
}

// Numbers are read as QEMU reads them, and what is none is refused with the argument it is in.
func TestReadNumbers(t *testing.T) {
	for in, want := range map[string]Machine{
		"-m 512": {MemoryMiB: 512}, "-m 1g": {MemoryMiB: 1024}, "-m 1048576K": {MemoryMiB: 1024},
		"-m size=256M,slots=2": {MemoryMiB: 256}, "-m 1 -m 2": {MemoryMiB: 2},
		"-smp 2": {CPUs: 2}, "-smp 2,cores=2": {CPUs: 2},
	} {
		opts, err := Parse(in, FromJob)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Read(opts); err != nil || got.MemoryMiB != want.MemoryMiB || got.CPUs != want.CPUs {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"-m x", "-m -1", "-m 0", "-m 9999999999999G", "-m ''", "-smp x", "-smp cores=2", "-smp 0",
	} {
		opts, err := Parse("-nographic "+in, FromJob)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read(opts)
		if e, ok := errors.AsType[*ArgumentError](err); !ok || !strings.Contains(e.Argument, in) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// Whatever is written: reading never panics, a file that QEMU would open is a field or in Rest, and properties survive.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`-kernel {kernel} -append "console=ttyS0"`, "-drive file={disk},format=raw,if=virtio", "-hda {disk} -cdrom x",
		"-machine q35,accel=kvm -cpu host", "-drive file={disk},,format=raw", "-m 1G -smp cpus=2 -boot order=c", "-m ,",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		opts, err := Parse(s, FromJob)
		if err != nil {
			return
		}
		m, err := Read(opts)
		if err != nil {
			return
		}
		drives := 0
		for _, o := range opts {
			if o.IsDisk() {
				if d := m.Drives[drives]; d.File != o.File() {
					t.Errorf("%q: %s opens %q, the field has %q", s, o, o.File(), d.File)
				}
				drives++
			}
			if l := ParseProps(o.Props().String()); l.String() != o.Props().String() {
				t.Errorf("%q: %s is read as %s", s, o, l)
			}
		}
	})
}
