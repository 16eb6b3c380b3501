package symbol

import (
	"cmp"
	"debug/dwarf"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// unit is a range of addresses of a compilation unit.
type unit struct {
	low, high uint64
	offset    dwarf.Offset
}

// index sorts the compilation units by address, so that a frame needs one of thousands only.
func (i *Image) index() error {
	roots, err := i.roots()
	if err != nil {
		return err
	}
	r := i.dwarf.Reader()
	for _, offset := range roots {
		r.Seek(offset)
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e == nil || e.Tag != dwarf.TagCompileUnit {
			continue
		}
		ranges, err := i.dwarf.Ranges(e)
		if err != nil {
			return err
		}
		for _, a := range ranges {
			i.units = append(i.units, unit{a[0], a[1], offset})
		}
	}
	slices.SortFunc(i.units, func(a, b unit) int { return cmp.Compare(a.low, b.low) })
	return nil
}

// roots are the first entries of all units, read from the units' headers (DWARF 5, 7.5.1): package dwarf can only walk
// from one to the next by references that a malformed file may turn into a circle.
func (i *Image) roots() ([]dwarf.Offset, error) {
	section := i.file.Section(".debug_info")
	if section == nil {
		return nil, errors.New("there is none; build with CONFIG_DEBUG_INFO")
	}
	size, info, order := int64(section.Size), section.Open(), i.file.ByteOrder
	var roots []dwarf.Offset
	for at := int64(0); at < size; {
		var header [23]byte
		if _, err := info.Seek(at, io.SeekStart); err != nil {
			return nil, err
		}
		if n, err := io.ReadFull(info, header[:]); err != nil && n < 12 {
			return nil, err
		}
		length, rest, word := int64(order.Uint32(header[:])), 4, 4
		if length == 0xffffffff { // 64-bit DWARF
			length, rest, word = int64(order.Uint64(header[4:])), 12, 8
		}
		if length <= 0 || length > size-at {
			return nil, fmt.Errorf("the unit at 0x%x has the length 0x%x", at, length)
		}
		first := rest + 2 + word + 1 // version, abbreviations, address size
		if version := order.Uint16(header[rest:]); version >= 5 {
			first++ // kind
		}
		roots = append(roots, dwarf.Offset(at+int64(first)))
		at += int64(rest) + length
	}
	return roots, nil
}

// locate finds the place of an instruction.
func (i *Image) locate(pc uint64, function string) ([]Location, error) {
	if l, ok := i.cache[pc]; ok {
		return l, nil
	}
	n, _ := slices.BinarySearchFunc(i.units, pc, func(u unit, pc uint64) int {
		if u.high <= pc {
			return -1
		}
		if u.low > pc {
			return 1
		}
		return 0
	})
	if n == len(i.units) || pc < i.units[n].low || pc >= i.units[n].high {
		return nil, fmt.Errorf("decode frame %s: no source is known for address 0x%x", function, pc)
	}
	r := i.dwarf.Reader()
	r.Seek(i.units[n].offset)
	cu, err := r.Next()
	if err != nil || cu == nil {
		return nil, fmt.Errorf("decode frame %s: read its compilation unit: %w", function, err)
	}
	lines, err := i.dwarf.LineReader(cu)
	if err != nil || lines == nil {
		return nil, fmt.Errorf("decode frame %s: its compilation unit has no line table: %w", function, err)
	}
	var at dwarf.LineEntry
	if err := lines.SeekPC(pc, &at); err != nil || at.File == nil {
		return nil, fmt.Errorf("decode frame %s: find its line: %w", function, err)
	}
	tree, _ := cu.Val(dwarf.AttrCompDir).(string)
	calls, err := i.inlined(r, pc)
	if err != nil {
		return nil, fmt.Errorf("decode frame %s: read what is inlined: %w", function, err)
	}
	where := unfold(calls, lines.Files(), function, Location{File: relative(at.File.Name, tree), Line: at.Line}, tree)
	i.cache[pc] = where
	return where, nil
}

// call is an inlined function, and where it is called.
type call struct {
	function   string
	file, line int64
}

// unfold makes locations of the calls, outermost first, around the innermost place.
func unfold(calls []call, files []*dwarf.LineFile, function string, at Location, tree string) []Location {
	var where []Location
	for _, c := range slices.Backward(calls) {
		at.Function, at.Inline = c.function, true
		where = append(where, at)
		at = Location{Line: int(c.line), File: "?"}
		if c.file >= 0 && c.file < int64(len(files)) && files[c.file] != nil {
			at.File = relative(files[c.file].Name, tree)
		}
	}
	at.Function = function
	return append(where, at)
}

// inlined goes down the unit at r to the functions that contain pc, and returns the inlined ones, outermost first.
func (i *Image) inlined(r *dwarf.Reader, pc uint64) ([]call, error) {
	var calls []call
	depth, outside := 0, 0 // outside is the depth below an entry without pc, 0 inside
	for {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		switch {
		case e == nil || e.Tag == dwarf.TagCompileUnit:
			return calls, nil
		case e.Tag == 0 && outside > 0:
			outside--
			continue
		case e.Tag == 0:
			if depth--; depth < 0 {
				return calls, nil
			}
			continue
		case outside > 0:
			if e.Children {
				outside++
			}
			continue
		}
		inside := e.Tag == dwarf.TagSubprogram || e.Tag == dwarf.TagInlinedSubroutine || e.Tag == dwarf.TagLexDwarfBlock
		if inside {
			if inside, err = i.contains(e, pc); err != nil {
				return nil, err
			}
		}
		switch {
		case !e.Children && !inside:
		case !inside:
			// A sibling is a short cut, but only forwards.
			if next, ok := e.Val(dwarf.AttrSibling).(dwarf.Offset); ok && next > e.Offset {
				r.Seek(next)
			} else {
				outside++
			}
		default:
			if e.Tag == dwarf.TagInlinedSubroutine {
				calls = append(calls, i.call(e))
			}
			if e.Children {
				depth++
			}
		}
	}
}

// contains reports whether pc is in the entry's code.
func (i *Image) contains(e *dwarf.Entry, pc uint64) (bool, error) {
	ranges, err := i.dwarf.Ranges(e)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(ranges, func(a [2]uint64) bool { return a[0] <= pc && pc < a[1] }), nil
}

// call reads an inlined call; its name stands at the function it is an instance of.
func (i *Image) call(e *dwarf.Entry) call {
	c := call{function: "?", file: -1}
	c.file, _ = e.Val(dwarf.AttrCallFile).(int64)
	c.line, _ = e.Val(dwarf.AttrCallLine).(int64)
	const deepest = 4 // an instance of a specification of a declaration
	r := i.dwarf.Reader()
	for range deepest {
		if name, ok := e.Val(dwarf.AttrName).(string); ok {
			c.function = name
			return c
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			if origin, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset); !ok {
				return c
			}
		}
		r.Seek(origin)
		next, err := r.Next()
		if err != nil || next == nil {
			return c
		}
		e = next
	}
	return c
}

// relative is a file's name below the tree the compiler ran in.
func relative(file, tree string) string {
	file = path.Clean(file)
	if rest, ok := strings.CutPrefix(file, path.Clean(tree)+"/"); ok && tree != "" {
		return rest
	}
	return file
}
