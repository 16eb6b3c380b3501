package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// slowAfter separates execution from emulation: a turn of the loop takes under a nanosecond on a processor, and from
// some hundred nanoseconds to microseconds when emulated. Best of three, so that a busy host is not called slow.
const slowAfter = 2 * time.Millisecond

// guest is one run of the test guest. What it opens is closed by the thread that runs it.
type guest struct{ stop atomic.Bool }

// ioctl starts again what a signal interrupted (the Go runtime sends itself some), until stop is set.
func (g *guest) ioctl(fd int, what string, req uintptr, arg unsafe.Pointer) (int, error) {
	for {
		r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), req, uintptr(arg))
		switch {
		case errno == 0:
			return int(r), nil
		case errno != unix.EINTR || g.stop.Load():
			return 0, fmt.Errorf("%s: %w", what, errno)
		}
	}
}

// run does it all: open, set up, execute three times.
func (g *guest) run() Result {
	none := func(err error) Result { return Result{Verdict: None, Evidence: err.Error()} }
	kvm, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return none(fmt.Errorf("open /dev/kvm: %w", err))
	}
	defer func() { _ = unix.Close(kvm) }()
	if v, err := g.ioctl(kvm, "KVM_GET_API_VERSION", kvmGetAPIVersion, nil); err != nil {
		return none(err)
	} else if v != apiVersion {
		return none(fmt.Errorf("KVM_GET_API_VERSION: %d, want %d", v, apiVersion))
	}
	mem, err := unix.Mmap(-1, 0, memSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return none(fmt.Errorf("map the guest's memory: %w", err))
	}
	defer func() { _ = unix.Munmap(mem) }()
	vm, err := g.ioctl(kvm, "KVM_CREATE_VM", kvmCreateVM, nil)
	if err != nil {
		return none(err)
	}
	defer func() { _ = unix.Close(vm) }()
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(vm), kvmSetTSSAddr, tssAddr) // only old Intel processors need it
	region := memoryRegion{size: memSize, userAt: uint64(uintptr(unsafe.Pointer(&mem[0])))}
	if _, err := g.ioctl(vm, "KVM_SET_USER_MEMORY_REGION", kvmSetUserMemoryRegion, unsafe.Pointer(&region)); err != nil {
		return none(err)
	}
	size, err := g.ioctl(kvm, "KVM_GET_VCPU_MMAP_SIZE", kvmGetVCPUMmapSize, nil)
	if err != nil {
		return none(err)
	}
	vcpu, err := g.ioctl(vm, "KVM_CREATE_VCPU", kvmCreateVCPU, nil)
	if err != nil {
		return none(err)
	}
	defer func() { _ = unix.Close(vcpu) }()
	state, err := unix.Mmap(vcpu, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return none(fmt.Errorf("map the processor's state: %w", err))
	}
	defer func() { _ = unix.Munmap(state) }()
	var ids cpuidBuffer
	ids.n = uint32(len(ids.entries))
	if _, err := g.ioctl(kvm, "KVM_GET_SUPPORTED_CPUID", kvmGetSupportedCPUID, unsafe.Pointer(&ids)); err != nil {
		return none(err)
	}
	if _, err := g.ioctl(vcpu, "KVM_SET_CPUID2", kvmSetCPUID2, unsafe.Pointer(&ids)); err != nil {
		return none(err)
	}
	return g.measure(vcpu, mem, state)
}

// measure executes the guest three times and rates the fastest.
func (g *guest) measure(vcpu int, mem, state []byte) Result {
	le := binary.LittleEndian
	le.PutUint64(mem[pml4:], pdpt|0b11) // present, writable
	le.PutUint64(mem[pdpt:], pd|0b11)
	le.PutUint64(mem[pd:], 0|0b1000_0011) // and a 2 MiB page
	copy(mem[codeAddr:], code())
	if err := g.longMode(vcpu); err != nil {
		return Result{Verdict: None, Evidence: err.Error()}
	}
	best := time.Duration(math.MaxInt64)
	for range 3 {
		elapsed, err := g.execute(vcpu, mem, state)
		if err != nil {
			return Result{Verdict: None, Evidence: err.Error()}
		}
		best = min(best, elapsed)
	}
	evidence := fmt.Sprintf(
		"a 64-bit guest ran %d turns of a loop and cmpxchg16b in %v", loops, best.Round(time.Microsecond),
	)
	if best > slowAfter {
		return Result{Verdict: Slow, Evidence: evidence + ", as slow as emulation"}
	}
	return Result{Verdict: HW, Evidence: evidence}
}

// execute runs the guest up to its OUT.
func (g *guest) execute(vcpu int, mem, state []byte) (time.Duration, error) {
	clear(mem[swapAddr : swapAddr+16])
	start := time.Now()
	if _, err := g.ioctl(vcpu, "KVM_RUN", kvmRun, nil); err != nil {
		return 0, err
	}
	elapsed := time.Since(start)
	if err := checkExit(state); err != nil {
		return 0, err
	}
	if string(mem[swapAddr:swapAddr+4]) != "gant" || string(mem[swapAddr+8:swapAddr+10]) != "ry" {
		return 0, fmt.Errorf("cmpxchg16b left % x in memory", mem[swapAddr:swapAddr+16])
	}
	return elapsed, nil
}

// longMode puts the processor into 64-bit mode at codeAddr.
func (g *guest) longMode(vcpu int) error {
	var s sregs
	if _, err := g.ioctl(vcpu, "KVM_GET_SREGS", kvmGetSregs, unsafe.Pointer(&s)); err != nil {
		return err
	}
	flat := segment{limit: 0xffffffff, selector: 0x10, typ: 3, present: 1, db: 1, s: 1, g: 1}
	s.ds, s.es, s.fs, s.gs, s.ss = flat, flat, flat, flat, flat
	s.cs = segment{limit: 0xffffffff, selector: 8, typ: 11, present: 1, s: 1, l: 1, g: 1}
	s.cr3 = pml4
	s.cr4 = 1 << 5             // PAE
	s.cr0 = 1<<31 | 1<<4 | 0b1 // PG, ET, PE
	s.efer = 1<<10 | 1<<8      // LMA, LME
	if _, err := g.ioctl(vcpu, "KVM_SET_SREGS", kvmSetSregs, unsafe.Pointer(&s)); err != nil {
		return err
	}
	r := regs{rip: codeAddr, rflags: 0b10}
	_, err := g.ioctl(vcpu, "KVM_SET_REGS", kvmSetRegs, unsafe.Pointer(&r))
	return err
}

// checkExit reads struct kvm_run: the guest must have left by its OUT, with 1.
func checkExit(state []byte) error {
	le := binary.LittleEndian
	const exitIO, exitShutdown, exitFailEntry, exitInternalError = 2, 8, 9, 17
	switch reason := le.Uint32(state[8:]); reason {
	case exitIO:
		port, data := le.Uint16(state[34:]), le.Uint64(state[40:])
		if port != outPort || data >= uint64(len(state)) || state[data] != 1 {
			return fmt.Errorf("KVM_RUN: the guest wrote the wrong thing to port %#x", port)
		}
		return nil
	case exitInternalError:
		return fmt.Errorf("KVM_RUN: exit reason INTERNAL_ERROR, suberror %d", le.Uint32(state[32:]))
	case exitShutdown:
		return errors.New("KVM_RUN: exit reason SHUTDOWN (triple fault)")
	case exitFailEntry:
		return fmt.Errorf("KVM_RUN: exit reason FAIL_ENTRY, hardware reason %#x", le.Uint64(state[32:]))
	default:
		return fmt.Errorf("KVM_RUN: exit reason %d", reason)
	}
}
