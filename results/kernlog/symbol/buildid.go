package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"regexp"
)

const (
	noteBuildID   = 3       // NT_GNU_BUILD_ID
	maxNotes      = 1 << 20 // bytes of a note section
	maxIDBytes    = 64      // of a build id; SHA-1 has 20
	noteAlignment = 4
)

var errNoBuildID = errors.New("there is no build id; link with --build-id")

// fileBuildID finds the build id in the note sections.
func fileBuildID(f *elf.File) (string, error) {
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOTE || s.Size > maxNotes {
			continue
		}
		notes, err := s.Data()
		if err != nil {
			continue // another section may have it
		}
		if id, err := NotesBuildID(notes, f.ByteOrder); err == nil {
			return id, nil
		}
	}
	return "", errNoBuildID
}

// NotesBuildID returns the build id in ELF notes, in lower-case hex: those of a section, or /sys/kernel/notes of the
// running kernel.
func NotesBuildID(notes []byte, order binary.ByteOrder) (string, error) {
	const header = 12 // sizes of name and description, type
	for len(notes) >= header {
		name := uint64(order.Uint32(notes))
		size := uint64(order.Uint32(notes[4:]))
		kind := order.Uint32(notes[8:])
		notes = notes[header:]
		if aligned(name)+aligned(size) > uint64(len(notes)) && aligned(name)+size > uint64(len(notes)) {
			break
		}
		owner := bytes.TrimRight(notes[:name], "\x00")
		body := notes[aligned(name) : aligned(name)+size]
		if kind == noteBuildID && string(owner) == "GNU" && size > 0 && size <= maxIDBytes {
			return hex.EncodeToString(body), nil
		}
		notes = notes[min(aligned(name)+aligned(size), uint64(len(notes))):]
	}
	return "", errNoBuildID
}

// aligned rounds a note's part up to where the next one begins.
func aligned(n uint64) uint64 { return (n + noteAlignment - 1) &^ (noteAlignment - 1) }

// printedRE is where a kernel with CONFIG_STACKTRACE_BUILD_ID prints its own: at the end of a report's version line.
var printedRE = regexp.MustCompile(`CPU: \d+ .*(?:Not tainted|Tainted: .*) \S+ #\d+ .*?\b([0-9a-f]{40})\s*(?:\n|$)`)

// PrintedBuildID is the kernel's build id in the text of a report, or "".
func PrintedBuildID(text string) string {
	if m := printedRE.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
