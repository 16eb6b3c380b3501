package plan

// SetMissed does what Builder.Missed does.
func SetMissed(n *Node, report func(r *Run, why string)) { n.missed = report }

// SetInterrupt does what Builder.Interrupt does.
func SetInterrupt(n *Node, do Do) { n.interrupt = do }
