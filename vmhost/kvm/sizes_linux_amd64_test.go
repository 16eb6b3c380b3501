package kvm

import (
	"encoding/binary"
	"strings"
	"testing"
	"unsafe"
)

// The kernel reads these structures: their sizes are part of the ioctl numbers.
func TestStructSizes(t *testing.T) {
	for name, c := range map[string]struct{ size, req uintptr }{
		"kvm_regs":                    {unsafe.Sizeof(regs{}), kvmSetRegs},
		"kvm_sregs":                   {unsafe.Sizeof(sregs{}), kvmSetSregs},
		"kvm_userspace_memory_region": {unsafe.Sizeof(memoryRegion{}), kvmSetUserMemoryRegion},
	} {
		if want := c.req >> 16 & 0x3fff; c.size != want {
			t.Errorf("%s: %d bytes, want %d", name, c.size, want)
		}
	}
}

func TestCheckExit(t *testing.T) {
	state := func(reason uint32, port uint16, al byte) []byte {
		b := make([]byte, 256)
		binary.LittleEndian.PutUint32(b[8:], reason)
		binary.LittleEndian.PutUint16(b[34:], port)
		binary.LittleEndian.PutUint64(b[40:], 128)
		b[128] = al
		return b
	}
	for _, c := range []struct {
		state []byte
		want  string
	}{
		{state(2, outPort, 1), ""},
		{state(2, outPort, 0), "wrong thing"},
		{state(2, 0x80, 1), "wrong thing"},
		{state(17, 0, 0), "INTERNAL_ERROR, suberror 0"},
		{state(8, 0, 0), "SHUTDOWN"},
		{state(9, 0, 0), "FAIL_ENTRY"},
		{state(5, 0, 0), "exit reason 5"},
	} {
		err := checkExit(c.state)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// The last instruction jumps to the first, so that the guest goes round as often as it is run.
func TestCodeLoops(t *testing.T) {
	c := code()
	if c[len(c)-2] != 0xeb || len(c)+int(int8(c[len(c)-1])) != 0 {
		t.Errorf("% x", c)
	}
}
