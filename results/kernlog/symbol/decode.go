package symbol

import (
	"debug/elf"
	"fmt"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
)

// Location is a place in the sources.
type Location struct {
	Function string
	File     string // relative to the kernel's tree where the compiler says where that is
	Line     int
	Inline   bool // the function is inlined into that of the next location
}

const (
	maxFrames = 500 // decoded of one text
	padding   = 64  // bytes that the kernel's size of a function may have more: it counts to the next symbol
)

// frameRE is a frame, with what follows it: a module's name, or a file and line already.
var frameRE = regexp.MustCompile(`([A-Za-z0-9_.$]+)\+0x([0-9a-f]{1,16})/0x([0-9a-f]{1,16})( ?\[[A-Za-z0-9_]+[^\]]*\])?`)

// exactRE begins a line whose address is that of the instruction itself; elsewhere it is a return address.
var exactRE = regexp.MustCompile(`(?:^|\W)(?:[RE]?IP|NIP|pc|PC is at) ?:?\s`)

// Decode adds files and lines to the frames of a report's text. An inlined function gets a line of its own above the
// frame, marked [inline]. Frames of modules and those the image does not know stay as they are.
func (i *Image) Decode(text string) (decoded string, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // as in Open
	defer caught(&err, "decode a stack trace")
	var b strings.Builder
	left := maxFrames
	for line := range strings.Lines(text) {
		m := frameRE.FindStringSubmatchIndex(line)
		if m == nil || m[8] >= 0 || left == 0 {
			b.WriteString(line)
			continue
		}
		left--
		offset, _ := strconv.ParseUint(line[m[4]:m[5]], 16, 64)
		size, _ := strconv.ParseUint(line[m[6]:m[7]], 16, 64)
		where, err := i.Frame(line[m[2]:m[3]], offset, size, exactRE.MatchString(line[:m[2]]))
		if err != nil {
			b.WriteString(line)
			continue
		}
		for n, l := range where {
			if n < len(where)-1 {
				fmt.Fprintf(&b, "%s%s %s:%d [inline]\n", line[:m[2]], l.Function, l.File, l.Line)
				continue
			}
			fmt.Fprintf(&b, "%s %s:%d%s", line[:m[1]], l.File, l.Line, line[m[1]:])
		}
	}
	return b.String(), nil
}

// Frame decodes function+offset/size: inlined functions first, the function itself last. exact says that the offset is
// of the instruction itself, not a return address, which is the instruction after the call.
func (i *Image) Frame(function string, offset, size uint64, exact bool) (where []Location, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer caught(&err, "decode frame %s+0x%x/0x%x", function, offset, size)
	s, err := i.symbol(function, size)
	if err != nil {
		return nil, err
	}
	pc := s.Value + offset
	if !exact && offset > 0 {
		pc--
	}
	return i.locate(pc, function)
}

// symbol finds the function; several have one name in a kernel, and their size distinguishes them.
func (i *Image) symbol(function string, size uint64) (elf.Symbol, error) {
	all := i.symbols[function]
	var fits []elf.Symbol
	for _, s := range all {
		if s.Size == size {
			return s, nil
		}
		if s.Size <= size && size-s.Size < padding {
			fits = append(fits, s)
		}
	}
	switch {
	case len(all) == 0:
		return elf.Symbol{}, fmt.Errorf("decode frame %s: the image has no such function", function)
	case len(fits) == 1:
		return fits[0], nil
	case len(all) == 1:
		return elf.Symbol{}, fmt.Errorf(
			"decode frame %s: it has 0x%x bytes in the image, 0x%x in the kernel", function, all[0].Size, size,
		)
	default:
		return elf.Symbol{}, fmt.Errorf(
			"decode frame %s: the image has %d such functions of about that size", function, len(fits),
		)
	}
}
