package plan

// The kinds of undo that methods record.
const (
	UndoRemove = "remove"    // a path
	UndoPower  = "power-off" // the target's name
)
