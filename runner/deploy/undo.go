package deploy

import (
	"context"
	"os"

	"github.com/gantry-ci/gantry/runner/journal"
)

// UndoRemove removes a path, with what is below it.
const UndoRemove = "remove"

// Undoers take back what deploy actions leave in the run's folder.
func Undoers() journal.Undoers {
	return journal.Undoers{UndoRemove: func(_ context.Context, path string) error { return os.RemoveAll(path) }}
}
