package kvm

// The ioctls used, from <linux/kvm.h>.
const (
	kvmGetAPIVersion       = 0xae00
	kvmCreateVM            = 0xae01
	kvmGetVCPUMmapSize     = 0xae04
	kvmCreateVCPU          = 0xae41
	kvmSetTSSAddr          = 0xae47
	kvmRun                 = 0xae80
	kvmSetUserMemoryRegion = 0x4020ae46
	kvmSetRegs             = 0x4090ae82
	kvmGetSregs            = 0x8138ae83
	kvmSetSregs            = 0x4138ae84
	kvmGetSupportedCPUID   = 0xc008ae05
	kvmSetCPUID2           = 0x4008ae90

	apiVersion = 12 // the only one since Linux 2.6.22
)

// Layout of the guest's memory: page tables that map the first 2 MiB onto themselves, code, and 16 bytes to swap.
const (
	memSize  = 2 << 20
	pml4     = 0x1000
	pdpt     = 0x2000
	pd       = 0x3000
	codeAddr = 0x8000
	swapAddr = 0x9000
	tssAddr  = 0xfffbd000 // three pages KVM wants for itself on Intel, away from the guest's memory

	loops   = 20_000
	outPort = 0x10
)

// code counts down, swaps 16 bytes (what emulators of KVM's kind do not know), and says so on a port.
func code() []byte {
	return []byte{
		0xb9, loops & 0xff, loops >> 8, 0, 0, // mov ecx, loops
		0xff, 0xc9, // 1: dec ecx
		0x75, 0xfc, // jnz 1b
		0x31, 0xc0, 0x31, 0xd2, // xor eax,eax; xor edx,edx
		0xbb, 'g', 'a', 'n', 't', // mov ebx, "gant"
		0xb9, 'r', 'y', 0, 0, // mov ecx, "ry"
		0xbf, swapAddr & 0xff, swapAddr >> 8, 0, 0, // mov edi, swapAddr
		0xf0, 0x48, 0x0f, 0xc7, 0x0f, // lock cmpxchg16b [rdi]
		0x0f, 0x94, 0xc0, // sete al
		0xe6, outPort, // out outPort, al
		0xeb, 0xd8, // jmp to the beginning: each KVM_RUN goes round once
	}
}

type segment struct {
	base                                         uint64
	limit                                        uint32
	selector                                     uint16
	typ, present, dpl, db, s, l, g, avl, unus, _ uint8
}

type table struct {
	base  uint64
	limit uint16
	_     [3]uint16
}

type sregs struct {
	cs, ds, es, fs, gs, ss, tr, ldt segment
	gdt, idt                        table
	cr0, cr2, cr3, cr4, cr8         uint64
	efer, apicBase                  uint64
	interrupts                      [4]uint64
}

type regs struct {
	rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp uint64
	r8, r9, r10, r11, r12, r13, r14, r15   uint64
	rip, rflags                            uint64
}

type memoryRegion struct {
	slot, flags             uint32
	guestPhys, size, userAt uint64
}

// cpuidBuffer is struct kvm_cpuid2 with room for what any processor reports.
type cpuidBuffer struct {
	n, _    uint32
	entries [256][40]byte
}
