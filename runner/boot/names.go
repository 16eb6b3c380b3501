package boot

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/plan"
)

// recordNames gives each console of a plan a record of its own. Actions ask in the order of the job, so that the first
// one's record is the unnamed one.
type recordNames struct {
	names  map[string]string // by the console's owner
	owners map[string]string // by the record's name
}

// guest is the record of the guest of a namespace: the unnamed one for the job's first, else one named after the
// namespace.
func (n *recordNames) guest(b *plan.Builder, namespace string) string {
	return n.claim(b, "the guest of namespace "+namespace, "", recordName(namespace))
}

// board is the record of a board's console, which has the device file's name unless it is the board's first.
func (n *recordNames) board(b *plan.Builder, console string, first bool) string {
	if first {
		return n.claim(b, "console "+console, "", recordName(console))
	}
	return n.claim(b, "console "+console, recordName(console))
}

// claim gives a console the first of the wanted names that no other has, or the last one with a number.
func (n *recordNames) claim(b *plan.Builder, owner string, wanted ...string) string {
	if name, ok := n.names[owner]; ok {
		return name
	}
	if n.names == nil {
		n.names, n.owners = map[string]string{}, map[string]string{}
	}
	name := wanted[0]
	for i := 1; n.taken(name); i++ {
		if name = wanted[min(i, len(wanted)-1)]; i >= len(wanted) {
			name = fmt.Sprintf("%.*s-%d", maxRecordName, name, i)
		}
	}
	n.names[owner], n.owners[name] = name, owner
	if name != "" {
		b.Remark("console: recorded in %s", results.ConsoleLog(name))
	}
	if len(n.names) > 1+results.MaxConsoles {
		b.Errorf("the job opens more than %d consoles", 1+results.MaxConsoles)
	}
	return name
}

func (n *recordNames) taken(name string) bool {
	_, ok := n.owners[name]
	return ok
}

// maxRecordName is the length to which a name is cut: a number has room after it.
const maxRecordName = 28

// unfit is what the name of a record cannot have.
var unfit = regexp.MustCompile(`[^a-z0-9_-]+`)

// recordName makes what a job or a device file calls a console fit to be the name of its record.
func recordName(s string) string {
	s = strings.Trim(unfit.ReplaceAllString(strings.ToLower(s), "-"), "-")
	if s = s[:min(len(s), maxRecordName)]; s == "" {
		return "other"
	}
	return s
}
