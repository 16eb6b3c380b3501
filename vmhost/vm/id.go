package vm

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// MaxID is the most bytes of a guest's id.
const MaxID = 64

// ResultsNode is where Linux with udev has the results port, by its name ResultsPort.
const (
	ResultsPort = "gantry.results"
	ResultsNode = "/dev/virtio-ports/" + ResultsPort
)

var (
	validID  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	unfitRun = regexp.MustCompile(`[^A-Za-z0-9-]+`)
)

// ValidID says whether a text can be the id of a guest: letters, digits, ".", "_" and "-", at most MaxID of them.
func ValidID(id string) bool { return validID.MatchString(id) }

// digestLen is how much of a digest keeps the ids of one attempt apart.
const digestLen = 8

// ID is the id of an attempt's guest: the attempt's own for its first guest, which is called "". Any process can work
// it out again. Different names give different ids, whatever they are made of.
func ID(attempt, name string) string {
	if name == "" {
		return attempt
	}
	sum := sha256.Sum256([]byte(attempt + "\x00" + name))
	digest := hex.EncodeToString(sum[:])[:digestLen]
	readable := strings.Trim(unfitRun.ReplaceAllString(name, "-"), "-")
	const readableLen = 16
	readable = readable[:min(len(readable), readableLen)]
	tail := "." + readable + "." + digest
	return attempt[:min(len(attempt), MaxID-len(tail))] + tail
}
