package plan

// SetNotRun does what Builder.NotRun does.
func SetNotRun(n *Node, report func(r *Run, why string)) { n.notRun = report }

// SetRestore has a node require what is in a place, and bring it back as Restore says; nil for one that cannot.
func SetRestore(n *Node, place string, do Do) {
	n.requires = append(n.requires, place)
	if do != nil {
		n.restore = &restore{place, do}
	}
}

// SetProvides has a node provide what is in a place.
func SetProvides(n *Node, place string) { n.provides = append(n.provides, place) }
