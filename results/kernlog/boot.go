package kernlog

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// Boot marks: what a machine prints when it starts and stops. None of them is trouble by itself.
const (
	markFirmware = uint64(1) << (48 + iota) // firmware or boot loader starts
	markBIOS                                // firmware that prints before anything else can
	markUnpack                              // the kernel's decompressor
	markHandover                            // a boot loader starts the kernel
	markBanner                              // the kernel's first message
	markOrdered                             // somebody ordered the restart, or the kernel announces one after a panic
	bootMarks    = markFirmware | markBIOS | markUnpack | markHandover | markBanner | markOrdered
)

// bootWord is a trigger word of a boot mark.
type bootWord struct {
	word string
	mark uint64
}

// bootWords are the boot marks, as SeaBIOS, EDK II, U-Boot, TF-A, coreboot, barebox and Linux print them.
func bootWords() []bootWord {
	return []bootWord{
		{"SeaBIOS (version ", markBIOS},
		{"UEFI firmware (version ", markFirmware},
		{"BdsDxe: loading Boot", markFirmware},
		{"U-Boot SPL 20", markFirmware},
		{"U-Boot TPL 20", markFirmware},
		{"U-Boot 20", markFirmware},
		{"NOTICE:  BL1: ", markFirmware},
		{"NOTICE:  BL2: ", markFirmware},
		{"coreboot-", markFirmware},
		{"barebox 20", markFirmware},
		{"Booting the kernel.", markUnpack},
		{"Uncompressing Linux...", markUnpack},
		{"Starting kernel ...", markHandover},
		{"Linux version ", markBanner},
		{"Booting Linux on physical CPU", markBanner},
		{"reboot: Restarting system", markOrdered},
		{"reboot: Power down", markOrdered},
		{"kexec_core: Starting new kernel", markOrdered},
		{"sysrq: Resetting", markOrdered},
		{"Rebooting in ", markOrdered},
	}
}

// bootRE is a boot mark where firmware and decompressor print it: at the beginning of a line.
var bootRE = regexp.MustCompile(
	`^(?:SeaBIOS|UEFI|BdsDxe|U-Boot|NOTICE|coreboot|barebox|Booting|Uncompressing|Linux version)`,
)

// anything matches every message.
var anything = regexp.MustCompile(`(.*)`)

// rebootGroup makes the findings of unexpected boots.
func rebootGroup() *group {
	return &group{
		words: []string{""}, kind: results.KindReboot, fatal: true,
		rules: []rule{{head: anything, title: "unexpected kernel reboot"}},
	}
}

const (
	stampsKept     = 64
	stampsCompared = 12  // to decide; early ones are coarse, so some are the same on every boot
	comparedWithin = 200 // lines, or the second banner is forgotten
)

// bootState distinguishes expected boots from unexpected ones.
type bootState struct {
	printed bool // something was printed before the first boot mark
	marked  bool // there was a boot mark
	kernel  bool // a kernel has been started since the last firmware
	ordered bool // it announced a restart
	// A second banner is a boot, or a test that prints the kernel's log. The log has the time stamps of this boot;
	// another boot has others.
	stamps   map[string]bool // the first ones after the banner
	filling  bool
	second   *line // the second banner, until it is decided
	compared int   // stamps since
	equal    int   // of them, those of this boot
}

// line takes a line without boot marks. It returns the second banner when that turns out to be a boot's. It is on the
// path of every line.
func (b *bootState) line(number int, text []byte) (booted *line) {
	if b.marked && !b.filling && b.second == nil || !b.marked && b.kernel {
		return nil
	}
	if !b.marked && !b.printed {
		b.printed = len(bytes.TrimSpace(text)) > 0
	}
	stamp, ok := printk.Begins(text)
	if !ok {
		return nil
	}
	if b.second != nil && number-b.second.number > comparedWithin {
		b.second = nil
	}
	at := string(stamp.Time)
	switch {
	case !b.marked:
		b.kernel = true // the stream begins with a kernel running
	case at == "0.000000":
	case b.second != nil:
		if b.compared++; b.stamps[at] {
			b.equal++
		}
		if b.compared == stampsCompared {
			booted = b.decide()
		}
	case b.filling:
		b.stamps[at] = true
		b.filling = len(b.stamps) < stampsKept
	}
	return booted
}

// decide returns the second banner if it was a boot's.
func (b *bootState) decide() *line {
	second := b.second
	b.second = nil
	if b.equal*2 >= b.compared {
		return nil // the log of this boot
	}
	b.banner()
	return second
}

// banner begins a boot, of which the first time stamps are kept.
func (b *bootState) banner() {
	b.stamps, b.filling, b.second, b.compared = map[string]bool{}, true, nil, 0
	b.equal = 0
	b.kernel, b.marked = true, true
}

// observe keeps the boot state, with every piece of a line that has no boot mark.
func (s *Scanner) observe(b []byte) {
	if booted := s.boot.line(s.number, b); booted != nil {
		s.rebooted(*booted)
	}
}

// mark takes a message that has boot marks.
func (s *Scanner) mark(l line, found uint64) {
	b := &s.boot
	text := strings.TrimSpace(string(l.text))
	begins := bootRE.MatchString(text)
	switch {
	case found&markOrdered != 0:
		b.ordered = true
	case found&markHandover != 0 && l.context == "":
		b.kernel, b.marked = true, true
		s.stamping = false
	case found&markBanner != 0 && l.stamped && begins:
		s.banner(l)
	case found&(markFirmware|markBIOS|markUnpack) != 0 && l.context == "" && begins:
		// SeaBIOS prints before anything else can, so what stands before it was another boot's.
		midway := found&markBIOS != 0 && b.printed && !b.marked
		if b.kernel || midway {
			s.rebooted(l)
		}
		b.kernel, b.filling, b.second, b.ordered, b.marked = false, false, nil, false, true
		s.stamping = false // the next kernel may print none
	}
}

// banner takes a message that is a kernel's first one, or a copy of it.
func (s *Scanner) banner(l line) {
	b := &s.boot
	switch {
	case b.filling && len(b.stamps) == 0: // its second line
	case b.second != nil && l.number-b.second.number < comparedWithin:
	case b.kernel && len(b.stamps) >= stampsCompared && !b.ordered:
		b.second, b.compared = &line{number: l.number, context: l.context, text: bytes.Clone(l.text)}, 0
		b.equal = 0
	default:
		b.ordered = false
		b.banner()
	}
}

// rebooted ends all open reports. It reports the boot, unless somebody ordered it and nothing was going on that it
// ends, or something fatal came before it.
func (s *Scanner) rebooted(l line) {
	for _, r := range s.open {
		r.done = true
	}
	s.emit()
	clear(s.seen)
	if s.boot.ordered && !s.opts.During(l.number).Bound || s.Fatal() {
		return
	}
	s.single(l, rebootGroup())
}
