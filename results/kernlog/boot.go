package kernlog

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/internal/printk"
	"github.com/gantry-ci/gantry/results"
)

// Boot marks: what a machine prints on its way up and down. None of it is trouble by itself.
const (
	markFirmware = uint64(1) << (48 + iota) // firmware or boot loader starts
	markBIOS                                // firmware that prints before anything else can
	markUnpack                              // the kernel's decompressor
	markHandover                            // a boot loader starts the kernel
	markBanner                              // the kernel's first message
	markOrdered                             // the kernel goes down on order, or says that it restarts after a panic
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

// rebootGroup makes the findings of bootState.
func rebootGroup() *group {
	return &group{
		words: []string{""}, kind: results.KindReboot, fatal: true,
		rules: []rule{{head: anything, title: "unexpected kernel reboot"}},
	}
}

const (
	stampsKept  = 64
	longDoubt   = 200 // lines in which they come, or there is nothing to decide
	stampsAsked = 12  // before it is decided; early ones are coarse, so some are the same on every boot
)

// bootState tells a boot that is due from an unexpected one.
type bootState struct {
	printed bool // something was printed before the first boot mark
	marked  bool // a boot mark has been seen
	kernel  bool // a kernel has been started since the last firmware
	ordered bool // it said that it restarts
	// A test may print the kernel's log once more. Its time stamps are those of this boot; another boot has others.
	stamps  map[string]bool // the first ones after the banner
	filling bool
	doubt   *line // a second banner, while it is open which of the two it is
	asked   int   // stamps seen since
	known   int   // of them, those of this boot
}

// quiet takes a line without any trigger word. It is on the path of every line.
func (b *bootState) quiet(number int, text []byte) (again *line) {
	if b.marked && !b.filling && b.doubt == nil || !b.marked && b.kernel {
		return nil
	}
	if !b.marked && !b.printed {
		b.printed = len(bytes.TrimSpace(text)) > 0
	}
	stamp, ok := printk.Begins(text)
	if !ok {
		return nil
	}
	if b.doubt != nil && number-b.doubt.number > longDoubt {
		b.doubt = nil
	}
	at := string(stamp.Time)
	switch {
	case !b.marked:
		b.kernel = true // the stream begins with a kernel running
	case at == "0.000000":
	case b.doubt != nil:
		if b.asked++; b.stamps[at] {
			b.known++
		}
		if b.asked == stampsAsked {
			again = b.decide()
		}
	case b.filling:
		b.stamps[at] = true
		b.filling = len(b.stamps) < stampsKept
	}
	return again
}

// decide ends the doubt about a second banner, and returns it if it was a boot's.
func (b *bootState) decide() *line {
	second := b.doubt
	b.doubt = nil
	if b.known*2 >= b.asked {
		return nil // the log printed once more
	}
	b.banner()
	return second
}

// banner starts a kernel whose time stamps are learnt.
func (b *bootState) banner() {
	b.stamps, b.filling, b.doubt, b.asked = map[string]bool{}, true, nil, 0
	b.known = 0
	b.kernel, b.marked = true, true
}

// lineSeen keeps the boot state, for every piece of a line.
func (s *Scanner) lineSeen(b []byte) {
	if again := s.boot.quiet(s.number, b); again != nil {
		s.rebooted(*again)
	}
}

// mark takes a message with boot marks.
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
		b.kernel, b.filling, b.doubt, b.ordered, b.marked = false, false, nil, false, true
		s.stamping = false // the next kernel may print none
	}
}

// banner takes the kernel's first message, or what looks like it.
func (s *Scanner) banner(l line) {
	b := &s.boot
	switch {
	case b.filling && len(b.stamps) == 0: // its second line
	case b.doubt != nil && l.number-b.doubt.number < longDoubt:
	case b.kernel && len(b.stamps) >= stampsAsked && !b.ordered:
		b.doubt, b.asked = &line{number: l.number, context: l.context, text: bytes.Clone(l.text)}, 0
		b.known = 0
	default:
		b.ordered = false
		b.banner()
	}
}

// rebooted ends what is open, and reports the boot unless it was ordered, with nothing going on
// that ends by it, or follows something fatal.
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
