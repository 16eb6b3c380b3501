package qemu

import (
	"slices"
	"strings"
	"testing"
)

// served is a guest of a served job with two images.
func served() *testGuest {
	g := newTestGuest(testOptions("run-1"))
	g.Image("kernel", "/run/1/bzImage")
	g.Image("disk", "/run/1/disk.img")
	return g
}

// What real jobs say must be allowed (LAVA's and tuxlava's own, and the like).
func TestPolicyAllows(t *testing.T) {
	for _, arg := range []string{
		`-kernel {kernel} -append "console=ttyAMA0,115200 rootwait root=/dev/vda debug ` +
			`verbose console_msg_format=syslog systemd.log_level=warning rw earlycon"`,
		"-kernel {kernel} --append 'root=/dev/ram0 rw console=ttyAMA0,38400n8 init=/sbin/init'",
		"-kernel /run/1/bzImage",
		"-initrd {disk}",
		"-dtb {disk}", "-bios {disk}", "-pflash {disk}",
		"-hda {disk}", "-hdb {disk}", "-cdrom {disk}",
		"-drive file={disk},format=raw,id=hd0,if=virtio",
		"-drive format=raw,file={disk}",
		"-drive file={disk},if=ide,format=raw -serial null -serial stdio",
		"-drive if=none,file={disk},id=hd0,format=raw -device virtio-blk-device,drive=hd0",
		"-drive file={disk},index=2,media=cdrom,readonly",
		"-drive file={disk},format=qcow2,media=disk,if=scsi,id=lavatest,snapshot=on,cache=unsafe,discard=unmap",
		"-device virtio-scsi-pci,id=scsi0 -device scsi-hd,drive=lavatest,bus=scsi0.0",
		"-device driver=virtio-rng-pci",
		"-m 1024", "-m 2G", "-smp 2", "-cpu max", "-cpu host", "-cpu cortex-a57", "-cpu Nehalem,+avx,-smep,migratable=off",
		"-machine virt,gic-version=3,accel=kvm:tcg", "-M q35", "-machine accel=tcg", "-enable-kvm", "-accel kvm",
		"-accel tcg,thread=multi",
		"-nographic", "-no-reboot", "-snapshot", "-monitor none", "-display none", "-vga none", "-boot c",
		"-boot order=dc,menu=off",
		"-net nic,model=virtio,macaddr=DE:AD:BE:EF:66:05 -net user",
		"-netdev user,id=n0 -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01", "-nic none",
		"-rtc base=utc,clock=host", "-usb -device usb-storage,drive=hd0",
		"",
	} {
		if err := served().Args(arg); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// What a stranger may not say, and a word the message must have.
func TestPolicyRefuses(t *testing.T) {
	for arg, want := range map[string]string{
		"-chardev file,id=x,path=/etc/cron.d/x":                       "-chardev is not allowed in a served job",
		"-chardev socket,id=x,host=127.0.0.1,port=1":                  "-chardev",
		"-drive file=/etc/shadow":                                     `"/etc/shadow" of -drive is not an image of this run`,
		"-drive file=/etc/shadow,format=raw,if=virtio":                "not an image of this run",
		"-drive /etc/shadow":                                          "not allowed",
		"-drive file=json:{}":                                         "not an image",
		`-drive file=json:{"driver":"file","filename":"/etc/shadow"}`: "not an image",
		"-drive file=nbd://127.0.0.1/x":                               "not an image",
		"-drive file=http://169.254.169.254/latest":                   "not an image",
		"-drive file=fat:rw:/etc":                                     "not an image",
		"-drive file=file:/run/1/disk.img":                            "not an image",
		"-drive file={disk}x":                                         "not an image",
		"-drive file={disk}/../shadow":                                "not an image",
		"-drive file=/run/1/../1/disk.img":                            "not an image",
		"-drive file={disk},,x":                                       "not an image",
		"-drive file.driver=file,file.filename=/etc/shadow":           "file.driver",
		"-drive file={disk},file=/etc/shadow":                         "given twice",
		"-drive file=/etc/shadow,file={disk}":                         "not an image",
		"-drive file={disk},backing.file.filename=/etc/x":             "backing.file.filename",
		"-drive file={disk},format=vvfat":                             `format "vvfat"`,
		"-drive file={disk},format=vmdk":                              `format "vmdk"`,
		"-drive file={disk},driver=vvfat":                             "driver",
		"-drive file={disk},aio=native":                               "aio",
		"-drive file={disk},throttling.group=x":                       "throttling.group",
		"-drive file={disk},id={disk}":                                "id",
		"-drive if=none,file":                                         "not an image",
		"-hda /etc/shadow":                                            "not an image",
		"-cdrom /dev/sda":                                             "not an image",
		"-kernel /etc/shadow":                                         "not an image",
		"--kernel /etc/shadow":                                        "not an image",
		"-kernel=/etc/shadow":                                         "not allowed",
		"-kernel {kernel},x":                                          "not an image",
		"-initrd {kernel},/etc/shadow":                                "not an image",
		"-initrd '{kernel} /etc/shadow'":                              "not an image",
		"-kernel":                                                     "needs an argument",
		"-append":                                                     "needs an argument",
		"/etc/shadow":                                                 "is not an option",
		"-":                                                           "is not an option",
		"--":                                                          "is not an option",
		"---kernel {kernel}":                                          "not allowed",
		"@/etc/shadow":                                                "is not an option",
		"-readconfig /etc/shadow":                                     "-readconfig",
		"-set drive.hd0.file=/etc/shadow":                             "-set",
		"-global driver=x,property=y,value=z":                         "-global",
		"-D /etc/cron.d/x":                                            "-D is not",
		"-d trace:all":                                                "-d is not",
		"-trace file=/etc/x":                                          "-trace",
		"-qmp tcp:0:1":                                                "-qmp",
		"-mon chardev=gantry-qmp":                                     "-mon",
		"-monitor stdio":                                              "-monitor",
		"-monitor tcp::1,server":                                      "-monitor",
		"-serial file:/etc/x":                                         "-serial file:/etc/x is not",
		"-serial tcp:127.0.0.1:22":                                    "-serial",
		"-serial chardev:gantry-qmp":                                  "-serial",
		"-serial pipe:/x":                                             "-serial",
		"-parallel file:/x":                                           "-parallel",
		"-netdev user,id=n,hostfwd=tcp::22-:22":                       "hostfwd",
		"-netdev user,id=n,guestfwd=tcp:1.2.3.4:1-cmd:id":             "guestfwd",
		"-netdev user,id=n,smb=/etc":                                  "smb",
		"-netdev user,id=n,tftp=/etc":                                 "tftp",
		"-netdev tap,id=n,script=/bin/sh":                             "script",
		"-netdev tap,id=n":                                            `type "tap"`,
		"-netdev socket,id=n,connect=127.0.0.1:1":                     `"connect"`,
		"-net tap,script=/x":                                          "script",
		"-net bridge,br=br0":                                          "br",
		"-net dump,file=/x":                                           `"file" of -net`,
		"-nic tap":                                                    `type "tap"`,
		"-net user,restrict=off":                                      "restrict",
		"-virtfs local,path=/,mount_tag=x,security_model=none":        "-virtfs",
		"-fsdev local,id=x,path=/":                                    "-fsdev",
		"-device virtio-9p-pci,fsdev=x":                               "virtio-9p-pci",
		"-device vfio-pci,host=0:0":                                   "vfio-pci",
		"-device usb-host,hostbus=1":                                  "usb-host",
		"-device virtio-net-pci,romfile=/etc/shadow":                  "romfile",
		"-device loader,file={disk}":                                  "file",
		"-device ivshmem-plain,memdev=x":                              "ivshmem",
		"-device isa-serial,chardev=gantry-qmp":                       "chardev",
		"-device virtio-blk-pci,drive=hd0,x-data-plane=on":            "x-data-plane",
		`-device {"driver":"vfio-pci"}`:                               "driver",
		`-device '{"driver":"virtio-rng-pci","rng":"x"}'`:             "not allowed",
		"-device virtio-rng-pci,driver=vfio-pci":                      "given twice",
		"-object rng-random,id=r,filename=/etc/shadow":                "-object",
		"-object memory-backend-file,id=m,mem-path=/x,size=1":         "-object",
		"-blockdev file,node-name=x,filename=/etc/shadow":             "-blockdev",
		"-plugin /tmp/x.so":                                           "-plugin",
		"-runas root":                                                 "-runas",
		"-chroot /":                                                   "-chroot",
		"-incoming exec:id":                                           "-incoming",
		"-incoming 'exec:touch /x'":                                   "-incoming",
		"-sandbox off":                                                "-sandbox",
		"-name gantry-other":                                          "-name",
		"-daemonize":                                                  "-daemonize",
		"-pidfile /x":                                                 "-pidfile",
		"-writeconfig /x":                                             "-writeconfig",
		"-fw_cfg name=opt/x,file=/etc/shadow":                         "-fw_cfg",
		"-smbios file=/etc/shadow":                                    "-smbios",
		"-acpitable file=/etc/shadow":                                 "-acpitable",
		"-add-fd fd=1,set=1":                                          "-add-fd",
		"-vnc :0":                                                     "-vnc",
		"-spice port=1":                                               "-spice",
		"-gdb tcp::1234":                                              "-gdb",
		"-s":                                                          "-s is not",
		"-semihosting":                                                "-semihosting",
		"-semihosting-config enable=on":                               "-semihosting-config",
		"-tpmdev passthrough,id=t,path=/dev/tpm0":                     "-tpmdev",
		"-audiodev wav,id=a,path=/x":                                  "-audiodev",
		"-L /tmp":                                                     "-L is not",
		"-loadvm x":                                                   "-loadvm",
		"-mem-path /x":                                                "-mem-path",
		"-tb-size 100000":                                             "-tb-size",
		"-machine virt,dumpdtb=/x":                                    "dumpdtb",
		"-machine q35,kernel=/etc/shadow":                             "kernel",
		"-machine q35,memory-backend=x":                               "memory-backend",
		"-machine q35,accel=xen":                                      `accel "xen"`,
		"-machine q35,firmware=/etc/shadow":                           "firmware",
		"-accel tcg,tb-size=999999":                                   "at most 1024",
		"-accel hax":                                                  `accel "hax"`,
		"-boot splash=/etc/shadow":                                    "splash",
		"-m 1T":                                                       "not allowed",
		"-m 999999":                                                   "at most 4096 MiB",
		"-m 5G":                                                       "at most 4096 MiB",
		"-m -1":                                                       "not allowed",
		"-m 99999999999999999999G":                                    "not allowed",
		"-m 9007199254740993G":                                        "at most",
		"-m size=1G,slots=2,maxmem=99G":                               "not allowed",
		"-smp 64":                                                     "at most 4 processors",
		"-smp 1,maxcpus=200":                                          "not allowed",
		"-cpu host,x=/etc":                                            "not allowed",
		"-rtc /x":                                                     "not allowed",
		"-append 'x":                                                  "a quotation is not closed",
		`-append x\`:                                                  "ends in a backslash",
		"-append " + strings.Repeat("x", maxArgument+1):               "longer than",
		"-append a\x00b":                                              "zero byte",
		strings.Repeat("-usb ", maxOptions+1):                         "too many",
	} {
		err := served().Args(arg)
		e := asArgumentError(err)
		if e == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), `image_arg "`) {
			t.Errorf("%q: got %v, want %q", arg, err, want)
		}
	}
}

// A served job's message names the argument as the job has it.
func TestArgumentErrorText(t *testing.T) {
	err := served().Args("-chardev file,id=x,path=/tmp/x")
	want := `image_arg "-chardev file,id=x,path=/tmp/x": -chardev is not allowed in a served job`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The operator's own job may say anything, and a name without an image is still an error.
func TestOperator(t *testing.T) {
	o := testOptions("x")
	o.Trust = Operator
	g := newTestGuest(o)
	if err := g.Args(
		"-chardev file,id=x,path=/tmp/x -virtfs local,path=/,mount_tag=x,security_model=none -fw_cfg name=opt/x,string=y",
	); err != nil {
		t.Error(err)
	}
	c, err := g.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"file,id=x,path=/tmp/x", "local,path=/,mount_tag=x,security_model=none", "user"} {
		if !slices.Contains(c.argv, want) {
			t.Errorf("no %q in %q", want, c.argv)
		}
	}
	if err := g.Args("-rtc", "base=utc", "-append 'a", "b'"); err != nil { // one command line
		t.Error(err)
	}
	if err := g.Args("-kernel {nothing}"); err != nil {
		t.Error(err)
	}
	if _, err := g.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no image {nothing}") {
		t.Errorf("got %v", err)
	}
}

// Names of images are looked up when the guest is switched on; paths that look like options mean nothing.
func TestHostilePath(t *testing.T) {
	g := newTestGuest(testOptions("x"))
	if err := g.Args("-drive file={disk},if=virtio", "-kernel {kernel} -append {disk}"); err != nil {
		t.Fatal(err)
	}
	g.Image("disk", "/run/x,readonly=off,file=/etc/shadow")
	g.Image("kernel", "-readconfig /x")
	c, err := g.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"file=/run/x,,readonly=off,,file=/etc/shadow,if=virtio,format=raw", "-readconfig /x"} {
		if !slices.Contains(c.argv, want) {
			t.Errorf("no %q in %q", want, c.argv)
		}
	}
}
