package console

import "encoding/binary"

// restSamples is how often in a row the automaton is found idle in one state before a table of pairs for it pays off.
const restSamples = 16

// pairs says which pairs of bytes lead out of one state. In most of a console's text no match has begun, and the
// automaton stays in that state: there eight bytes are skipped in one step, by four independent look-ups.
type pairs struct {
	rest uint32 // the state; unknown when there is none yet
	out  *[1 << 16]uint8

	sample  uint32
	samples int
}

func (p *pairs) forget() { *p = pairs{rest: unknown, sample: unknown} }

// idleIn counts that the automaton was in a state in which no match has begun.
func (d *dfa) idleIn(at uint32) {
	if at == d.pairs.rest {
		return
	}
	if at != d.pairs.sample {
		d.pairs.sample, d.pairs.samples = at, 0
	}
	if d.pairs.samples++; d.pairs.samples == restSamples {
		d.pair(at)
	}
}

// pair makes the table of pairs for a state.
func (d *dfa) pair(rest uint32) {
	born, n := d.born, len(d.p.rep)
	stays := make([]bool, n*n) // by classes
	for a := classReturn; a < n; a++ {
		via := d.step(rest, uint16(a))
		for b := classReturn; b < n; b++ {
			stays[a*n+b] = via < hit && d.step(via, uint16(b)) == rest
			if d.born != born {
				return // there are too many states
			}
		}
	}
	out := new([1 << 16]uint8)
	for pair := range 1 << 16 { // little endian: the first byte is the low one
		if !stays[int(d.p.bytes[pair&0xff])*n+int(d.p.bytes[pair>>8])] {
			out[pair] = 1
		}
	}
	d.pairs.rest, d.pairs.out = rest, out
}

// skip is how many bytes of b can be skipped in the state rest.
func (p *pairs) skip(b []byte) int {
	i, out := 0, p.out
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		v0, v1, v2, v3 := uint16(v), uint16(v>>16), uint16(v>>32), uint16(v>>48)
		if out[v0]|out[v1]|out[v2]|out[v3] != 0 {
			break
		}
	}
	for ; i+2 <= len(b); i += 2 {
		if v := binary.LittleEndian.Uint16(b[i:]); out[v] != 0 {
			break
		}
	}
	return i
}
