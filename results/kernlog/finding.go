package kernlog

import "github.com/gantry-ci/gantry/results"

// Kinds of findings.
const (
	KindPanic       = "panic"
	KindOops        = "oops"
	KindBug         = "bug"
	KindWarning     = "warning"
	KindKASAN       = "kasan"
	KindKFENCE      = "kfence"
	KindKCSAN       = "kcsan"
	KindKMSAN       = "kmsan"
	KindUBSAN       = "ubsan"
	KindLockdep     = "lockdep"
	KindRCUStall    = "rcu-stall"
	KindHungTask    = "hung-task"
	KindSoftLockup  = "soft-lockup"
	KindHardLockup  = "hard-lockup"
	KindLeak        = "leak"
	KindRefcount    = "refcount"
	KindAtomicSleep = "atomic-sleep"
	KindNullDeref   = "null-deref"
	KindGPF         = "gpf"
	KindReboot      = "reboot"
	KindOOM         = "oom"
	KindOther       = "other" // another kernel's or a secure world's crash
	KindDenied      = "denied"
)

// During is what was going on when a finding began.
type During struct {
	Section     string // deploy, boot or test
	Suite, Case string
	Bound       bool // it cannot outlive a restart: even an ordered one is unexpected
}

// Finding is one event of kernel trouble.
type Finding struct {
	Line        int    // of its first line, 1-based, by \n
	Kind        string // one of the kinds
	Title       string // in syzkaller's wording
	Fatal       bool   // the system cannot go on
	Emulation   bool   // a false alarm of software emulation: the lab's fault, not the kernel's
	Fingerprint string // stable over runs: kind and meaningful frames, without addresses, offsets and numbers
	Text        string // its lines, without prefixes, at most maxText bytes
	During      During
	Allowed     string // the reason on the allow list, if it is there; an allowed finding is never fatal
	Denied      string // the reason on the deny list, if it is there
}

// Jobs is the finding as a run reports it.
func (f Finding) Jobs() results.Finding {
	return results.Finding{
		Line: f.Line, Kind: f.Kind, Title: f.Title, Fatal: f.Fatal, Emulation: f.Emulation,
		Fingerprint: f.Fingerprint, Text: f.Text,
		Section: f.During.Section, Suite: f.During.Suite, Case: f.During.Case,
		Allowed: f.Allowed, Denied: f.Denied,
	}
}
