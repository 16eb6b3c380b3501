package results

import "fmt"

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

// String is the finding in a message: its title, and where it is.
func (f Finding) String() string { return fmt.Sprintf("%s (%s:%d)", f.Title, f.LogName(), f.Line) }

// Class is whose fault a finding is that broke the system: the lab's for a false alarm of emulation, else that of what
// was going on.
func (f Finding) Class() Class {
	switch {
	case f.Emulation:
		return ClassInfrastructure
	case f.Section == "test":
		return ClassTest
	}
	return ClassJob
}

// Breaks says that after such a finding the system cannot be relied on. A warning, a stall or a leak is reported and
// counts only when the repository's deny list says so.
func (f Finding) Breaks() bool {
	if f.Allowed != "" || f.Superseded {
		return false
	}
	switch f.Kind {
	case KindPanic, KindOops, KindBug, KindKASAN, KindKFENCE, KindKMSAN, KindNullDeref, KindGPF,
		KindSoftLockup, KindHardLockup, KindReboot, KindDenied:
		return true
	}
	return f.Fatal
}
