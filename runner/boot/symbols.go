package boot

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"github.com/gantry-ci/gantry/results/kernlog/symbol"
	"github.com/gantry-ci/gantry/runner/console"
	"github.com/gantry-ci/gantry/runner/plan"
)

const (
	// notesCommand prints the running kernel's notes, its build id among them, with what POSIX and busybox have.
	notesCommand = "od -An -v -tx1 /sys/kernel/notes"
	// notesWait is how long that may take: some 2 kB, at 9600 baud 2 s, on a busy system.
	notesWait = 15 * time.Second
)

// hexRE is a line of od's.
var hexRE = regexp.MustCompile(`(?m)^(?: [0-9a-f]{2})+ *\r?$`)

// identify asks the kernel that has booted which build it is, when stacks will be decoded: any other build's symbols
// would give wrong lines. That it does not say is no reason to end a run.
func (o *methods) identify(ctx context.Context, s *console.Session, prompts *console.Patterns, r *plan.Run) error {
	if !o.Kernels.wanted() {
		return nil
	}
	if err := s.SendLine(ctx, notesCommand); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, notesWait)
	defer cancel()
	m, err := s.Expect(wait, prompts)
	if err != nil && ctx.Err() != nil {
		return err
	}
	var id string
	if err == nil {
		id, err = buildID(m.Before)
	}
	if err != nil {
		r.Logf("warning", "ask the kernel for its build id: %v", err)
		return nil
	}
	o.Kernels.Identify(s.Console().Name(), id)
	return nil
}

func buildID(printed string) (string, error) {
	text := strings.Join(hexRE.FindAllString(printed, -1), "")
	notes, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return "", err
	}
	return symbol.NotesBuildID(notes, binary.LittleEndian)
}
