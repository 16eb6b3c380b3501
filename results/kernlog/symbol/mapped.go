package symbol

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping is a file in the address space: hundreds of megabytes of debug information are then in the page cache, which
// the host can reclaim, and not in this process's memory.
type mapping []byte

func newMapping(path string, size int64) (mapping, error) {
	if size == 0 {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	_ = f.Close() // only read; the mapping outlives it
	if err != nil {
		return nil, fmt.Errorf("map the file: %w", err)
	}
	return b, nil
}

func (m mapping) close() error {
	if m == nil {
		return nil
	}
	return unix.Munmap(m)
}

// section is what the section holds: a part of the mapping, or a copy where it has to be unpacked.
func (m mapping) section(s *elf.Section) ([]byte, error) {
	if s.Flags&elf.SHF_COMPRESSED != 0 || s.Type == elf.SHT_NOBITS || strings.HasPrefix(s.Name, ".zdebug_") {
		return s.Data()
	}
	if s.Offset > uint64(len(m)) || s.FileSize > uint64(len(m))-s.Offset {
		return nil, fmt.Errorf("section %s is outside of the file", s.Name)
	}
	return m[s.Offset : s.Offset+s.FileSize : s.Offset+s.FileSize], nil
}

// debugInfo is elf.File.DWARF on the mapping, for a linked image, whose debug information needs no relocation.
func debugInfo(f *elf.File, m mapping) (*dwarf.Data, error) {
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return nil, fmt.Errorf("it is no linked image (%s)", f.Type)
	}
	old := map[string][]byte{"abbrev": nil, "info": nil, "line": nil, "ranges": nil, "str": nil}
	parts := map[string][]byte{}
	for i, s := range f.Sections {
		name, ok := strings.CutPrefix(strings.Replace(s.Name, ".zdebug_", ".debug_", 1), ".debug_")
		if !ok || name == "" {
			continue
		}
		b, err := m.section(s)
		if err != nil {
			return nil, err
		}
		switch _, known := old[name]; {
		case known:
			old[name] = b
		case name == "types":
			parts[fmt.Sprintf("types-%d", i)] = b
		default:
			parts[".debug_"+name] = b
		}
	}
	d, err := dwarf.New(old["abbrev"], nil, nil, old["info"], old["line"], nil, old["ranges"], old["str"])
	if err != nil {
		return nil, err
	}
	for name, b := range parts {
		if strings.HasPrefix(name, "types-") {
			err = d.AddTypes(name, b)
		} else {
			err = d.AddSection(name, b)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}
