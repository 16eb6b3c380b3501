package qemu

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/vmhost/kvm"
	"github.com/gantry-ci/gantry/vmhost/qemuarg"
	"github.com/gantry-ci/gantry/vmhost/vm"
)

var hwResult = kvm.Result{Verdict: kvm.HW, Evidence: "it ran"}

func hw(context.Context) kvm.Result { return hwResult }

// Where KVM is not usable the flags go, and an -append tells the kernel not to check its timer.
func TestFallback(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"-enable-kvm -cpu host -m 1", "-cpu max -m 1"},
		{"-cpu host,migratable=no -accel kvm", "-cpu max,migratable=no"},
		{"-accel kvm -accel tcg,thread=multi", "-accel tcg,thread=multi"},
		{"-machine accel=kvm:tcg", ""},
		{"-machine q35,accel=kvm:tcg,smm=on", "-machine q35,smm=on"},
		{"-M q35,accel=kvm,kernel_irqchip=split", "-M q35"},
		{"-machine accel=tcg", "-machine accel=tcg"},
		{"-machine virt,gic-version=host,accel=kvm -cpu host", "-machine virt,gic-version=max -cpu max"},
		{"-append console=ttyS0", "-append console=ttyS0 no_timer_check"},
		{"-append 'a no_timer_check b' -cpu Nehalem", "-append a no_timer_check b -cpu Nehalem"},
		{"-append ''", "-append no_timer_check"},
		{
			"-append 'quiet rdinit=/bin/sleep -- 100000'", "-append quiet rdinit=/bin/sleep no_timer_check -- 100000",
		}, // the rest is init's
		{"-nographic", "-nographic"},
	} {
		opts, err := parse(c.in, qemuarg.FromDevice)
		if err != nil {
			t.Fatal(err)
		}
		out, changes := accelerate("qemu-system-x86_64", opts, vm.Accel{Used: "tcg"})
		var got []string
		for _, o := range out {
			got = append(got, o.String())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s, want %s", c.in, s, c.want)
		}
		if (len(changes) == 0) != (joined(opts) == c.want) {
			t.Errorf("%s: changes %q", c.in, changes)
		}
	}
}

func joined(opts []option) string {
	var s []string
	for _, o := range opts {
		s = append(s, o.String())
	}
	return strings.Join(s, " ")
}

func TestDecide(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the table is of an amd64 host")
	}
	none := kvm.Result{Verdict: kvm.None, Evidence: "open /dev/kvm: permission denied"}
	for _, c := range []struct {
		binary, opts string
		no           bool
		probe        kvm.Result
		used, why    string
	}{
		{"qemu-system-x86_64", "", false, hwResult, "kvm", "it ran"},
		{"/opt/qemu/bin/qemu-system-i386", "-enable-kvm", false, hwResult, "kvm", "it ran"},
		{"qemu-system-x86_64", "-enable-kvm", false, none, "tcg", "permission denied"},
		{"qemu-system-x86_64", "-enable-kvm", false, kvm.Result{Verdict: kvm.Slow}, "tcg", "(slow)"},
		{"qemu-system-x86_64", "-accel tcg", false, hwResult, "tcg", "the options ask for tcg"},
		{"qemu-system-x86_64", "-machine pc,accel=tcg", false, hwResult, "tcg", "the options ask for tcg"},
		{"qemu-system-x86_64", "-machine pc,accel=tcg -enable-kvm", false, hwResult, "kvm", "it ran"},
		{"qemu-system-x86_64", "-enable-kvm", true, hwResult, "tcg", "forbidden"},
		{"qemu-system-aarch64", "-enable-kvm", false, hwResult, "tcg", "architecture"},
	} {
		opts, err := parse(c.opts, qemuarg.FromDevice)
		if err != nil {
			t.Fatal(err)
		}
		a := decide(c.binary, opts, c.no, func() kvm.Result { return c.probe })
		if a.Used != c.used || !strings.Contains(a.Why, c.why) {
			t.Errorf("%+v: got %+v", c, a)
		}
	}
}

// The whole command line of a LAVA job on LAVA's device, without and with KVM.
func TestArgv(t *testing.T) {
	tail := []string{
		"-serial", "chardev:gantry-console", "-chardev", "socket,id=gantry-console",
	}
	own := []string{
		"-chardev", "socket,id=gantry-qmp", "-mon", "chardev=gantry-qmp,mode=control", "-name", "gantry-run-1", "-sandbox",
		sandbox,
	}
	device := []string{
		"qemu-system-x86_64", "-nographic", "-net", "nic,model=virtio,macaddr=52:54:00:12:34:59", "-net", "user,restrict=on",
		"-m", "256",
	}
	job := []string{"-kernel", "/run/1/bzImage", "-append", "console=ttyS0,115200 root=/dev/sda"}
	drive := []string{"-drive", "file=/run/1/disk.img,index=0,format=raw"}

	build := func(probe func(context.Context) kvm.Result) *command {
		o := testOptions("run-1")
		o.KVM = probe
		g := newTestGuest(o)
		g.Image("kernel", "/run/1/bzImage")
		g.Image("disk", "/run/1/disk.img")
		if err := g.Args(
			`-kernel {kernel} -append "console=ttyS0,115200 root=/dev/sda"`, "-drive file={disk},index=0,format=raw -enable-kvm",
		); err != nil {
			t.Fatal(err)
		}
		c, err := g.Prepare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	cat := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}

	c := build(noKVM)
	slow := cat(job[:3], []string{job[3] + " no_timer_check"})
	if diff := cmp.Diff(cat(device, slow, drive, tail, []string{"-monitor", "none"}, own), c.argv); diff != "" {
		t.Errorf("software emulation: %s", diff)
	}
	want := []string{
		"changed -net user to -net user,restrict=on", "added no_timer_check to -append", "removed -enable-kvm",
	}
	if diff := cmp.Diff(want, c.Changes); diff != "" {
		t.Errorf("changes: %s", diff)
	}
	if runtime.GOARCH != "amd64" {
		return
	}
	c = build(hw)
	if diff := cmp.Diff(
		cat(device, job, drive, []string{"-enable-kvm"}, tail, []string{"-monitor", "none"}, own), c.argv,
	); diff != "" {
		t.Errorf("KVM: %s", diff)
	}
	if c.Accel.Used != "kvm" {
		t.Errorf("accel: %+v", c.Accel)
	}
}

// The console takes the terminal's place wherever the terminal was.
func TestConsolePlace(t *testing.T) {
	const line = " -chardev socket,id=gantry-console"
	for in, want := range map[string]string{
		"-serial null -serial stdio -display none": "-serial null -serial chardev:gantry-console -display none" + line,
		"-serial mon:stdio -monitor stdio":         "-serial chardev:gantry-console" + line,
		"-chardev stdio,mux=on,id=c0,signal=off -mon chardev=c0,mode=readline -serial chardev:c0": "-serial chardev:c0" +
			" -chardev socket,id=c0",
		"-chardev stdio,id=c0 -device virtio-serial -device virtconsole,chardev=c0 -pidfile /x -S": "-device virtio-serial" +
			" -device virtconsole,chardev=c0 -S -chardev socket,id=c0",
		"-monitor unix:/x,server": "-monitor unix:/x,server -serial chardev:gantry-console" + line,
		"-daemonize -name other":  "-serial chardev:gantry-console" + line,
	} {
		opts, err := parse(in, qemuarg.FromDevice)
		if err != nil {
			t.Fatal(err)
		}
		b := &builder{opts: opts}
		b.detach()
		if got := joined(b.opts); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", in, got, want)
		}
	}
}

// A stranger's guest reaches nothing through a user network, however it came to have one.
func TestRestrict(t *testing.T) {
	for _, c := range []struct {
		in, want string
		trust    Trust
		network  Network
	}{
		{"-m 1", "-m 1 -net nic -net user,restrict=on", Served, NetworkDefault},
		{"-m 1", "-m 1", Served, NetworkOpen},
		{"-m 1", "-m 1", Operator, NetworkDefault},
		{"-m 1", "-m 1 -net nic -net user,restrict=on", Operator, NetworkRestricted},
		{"-nodefaults", "-nodefaults", Served, NetworkDefault},
		{"-nic none", "-nic none", Served, NetworkDefault},
		{"-net user,restrict=off", "-net user,restrict=on", Served, NetworkDefault},
		{"-net type=user", "-net type=user,restrict=on", Served, NetworkDefault},
		{"-netdev user,id=n", "-netdev user,id=n,restrict=on", Served, NetworkDefault},
		{"-nic user,model=e1000", "-nic user,model=e1000,restrict=on", Served, NetworkDefault},
		{"-netdev tap,id=n", "-netdev tap,id=n", Served, NetworkDefault},
		{`-netdev '{"type":"user","id":"n"}'`, `-netdev {"id":"n","restrict":true,"type":"user"}`, Served, NetworkDefault},
		{`-netdev '{"type":"tap","id":"n"}'`, `-netdev {"type":"tap","id":"n"}`, Served, NetworkDefault},
	} {
		opts, err := parse(c.in, qemuarg.FromDevice)
		if err != nil {
			t.Fatal(err)
		}
		b := &builder{opts: opts, trust: c.trust, network: c.network}
		if b.restrict(); joined(b.opts) != c.want {
			t.Errorf("%s: got %s, want %s", c.in, joined(b.opts), c.want)
		}
	}
}

// A device file's options are one command line, cut anywhere.
func TestDeviceOptions(t *testing.T) {
	o := testOptions("x")
	o.Machine.Options, o.Machine.Extra = []string{"-nographic", "-m", "512", "-net nic -net user"}, []string{
		"-cpu", "host",
	}
	c, err := newTestGuest(o).Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.argv[1:11], " "); got != "-nographic -m 512 -net nic -net user,restrict=on -cpu max -serial" {
		t.Error(got)
	}
	o.Machine.Options = []string{"-m"}
	o.Machine.Extra = nil
	_, err = newTestGuest(o).Prepare(t.Context())
	if err == nil || err.Error() != `device option "-m": -m needs an argument` {
		t.Error(err)
	}
}
