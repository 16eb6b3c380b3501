package console

// sparse is a set of small numbers that is cleared in constant time.
type sparse struct {
	dense []uint32
	at    []uint32
}

func (s *sparse) init(n int) { s.at, s.dense = make([]uint32, n), make([]uint32, 0, n) }
func (s *sparse) clear()     { s.dense = s.dense[:0] }

func (s *sparse) add(v uint32) bool {
	if i := s.at[v]; int(i) < len(s.dense) && s.dense[i] == v {
		return false
	}
	s.at[v] = uint32(len(s.dense))
	s.dense = append(s.dense, v)
	return true
}
