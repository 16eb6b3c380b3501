package qemu

import (
	"context"
	"log/slog"

	"github.com/gantry-ci/gantry/vmhost/kvm"
)

// Machine is what the operator's device file says about a guest.
type Machine struct {
	Binary    string   // qemu-system-x86_64: a name found in PATH, or a path
	Options   []string // each may hold several words, quoted as for a shell, or be one word of a longer option
	Extra     []string // as Options, after them
	NoSandbox bool     // for a binary built without seccomp
}

// Network says what a guest's user network reaches.
type Network int

// The networks.
const (
	NetworkDefault    Network = iota // open for the operator's own job, restricted for a served one
	NetworkOpen                      // what the host reaches, its loopback included
	NetworkRestricted                // QEMU's own DHCP, nothing else; a tap or bridge of the device file stays
)

// Limits bound what a served job's arguments ask for, of one guest and of all its guests together. The device file is
// not bound, but by FileBytes, and where there are several guests.
type Limits struct {
	MemoryMiB int
	CPUs      int

	// FileBytes is what the process may make any one file grow to: a qcow2, which may claim any size, or what the guest
	// writes with -snapshot, which is in /var/tmp. It is at least the size of the largest image. To a guest that writes
	// more, its disk is broken: QEMU gets EFBIG.
	FileBytes int64
}

// The default Limits.FileBytes. A served job's is what a disk image of a distribution grows to.
const (
	servedFile   = 16 << 30
	operatorFile = 64 << 30
)

// User is whom a guest runs as when gantry is root.
type User struct{ UID, GID uint32 }

// nobody is the user without rights of every Linux system.
const nobody = 65534

// Options describe the guests of an attempt. ID and Machine.Binary are needed.
type Options struct {
	ID      string // of the attempt, chosen by the caller and unique on the host: vm.ID makes the guests' of it
	Machine Machine
	Trust   Trust
	Network Network
	Limits  Limits                           // zero: 4096 MiB, 4 processors, files of 16 GiB (64 GiB for the operator)
	User    *User                            // nil: nobody
	KVM     func(context.Context) kvm.Result // nil: kvm.Probe; pass a cached result
	OnEvent func(Event)                      // nil, or called for each event of the guest, in order; must not block
	Logger  *slog.Logger                     // nil: none
}
