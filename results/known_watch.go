package results

// KnownWatch holds the cases of one run against the list. A nil one has no list. It is not for concurrent use.
type KnownWatch struct {
	lists    []*knownList
	patterns []*Known // those that stood for a case of the run, in the order in which they first did
	met      map[*Known]*metCases
}

// metCases are the cases that a pattern stood for.
type metCases struct{ passed, failed int }

// Watch begins with no cases, on a device of that type.
func (l *KnownFailures) Watch(device, kind string) *KnownWatch {
	return &KnownWatch{lists: l.lists(device, kind), met: map[*Known]*metCases{}}
}

// Mark adds a note to a case that is known to fail, or that passed though it is. The pipeline's own cases are never on
// the list. Whether all cases of a pattern passed is known at the end only, see Stale.
func (w *KnownWatch) Mark(c *Case) {
	if w == nil || c.Suite == PipelineSuite || c.Result != Fail && c.Result != Pass {
		return
	}
	k := w.find(c.Name())
	switch {
	case k == nil:
	case c.Result == Fail:
		c.Known = k.Comment
		c.AddNote(NoteKnown)
	case !k.pattern():
		c.Known = k.Comment
		c.AddNote(NoteUnexpectedPass)
	}
	if k != nil && k.pattern() {
		w.meet(k, c.Result)
	}
}

func (w *KnownWatch) find(name string) *Known {
	for _, d := range w.lists {
		if k := d.find(name); k != nil {
			return k
		}
	}
	return nil
}

// meet counts a case that a pattern stands for.
func (w *KnownWatch) meet(k *Known, result string) {
	m := w.met[k]
	if m == nil {
		m = &metCases{}
		w.met[k] = m
		w.patterns = append(w.patterns, k)
	}
	if result == Fail {
		m.failed++
	} else {
		m.passed++
	}
}

// Stale is a failure of class test if all cases passed that a pattern stood for: the list is no longer true.
func (w *KnownWatch) Stale() error {
	if w == nil {
		return nil
	}
	for _, k := range w.patterns {
		if m := w.met[k]; m.failed == 0 {
			return Failf(ClassTest, "known failure %q (%s, line %d of the list): its %d cases passed",
				k.Test, k.Comment, k.Place.Line, m.passed)
		}
	}
	return nil
}
