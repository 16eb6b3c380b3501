package results

import (
	"fmt"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Until is the last day, in UTC, on which an entry of a list holds. The zero value is no such day: the entry always
// holds.
type Until struct {
	text string // 2026-12-31
	day  time.Time
}

// Type is how a list spells it, as 2026-12-31.
func (u *Until) Type() schema.Type {
	return schema.Tested(schema.Text(&u.text), func(*schema.Node) *schema.Fault {
		day, err := time.Parse(time.DateOnly, u.text)
		if err != nil {
			return &schema.Fault{Message: fmt.Sprintf("%q is not a date", u.text), Expected: "a date like 2026-12-31"}
		}
		u.day = day
		return nil
	})
}

// Passed says that the entry holds no more.
func (u Until) Passed(now time.Time) bool {
	return u.text != "" && !now.UTC().Before(u.day.AddDate(0, 0, 1))
}

func (u Until) String() string { return u.text }

// ReadList reads a file of entries that a repository keeps, by decode, which is not called for a file that is empty but
// for comments. A file with a mistake is no list at all: the report has every mistake with its place.
func ReadList(src []byte, decode func(*schema.Node, *schema.Report)) *schema.Report {
	n, report := schema.Parse(src, schema.YAML12)
	if report.Valid() && n != nil && n.Kind != schema.Null {
		decode(n, report)
		report.Place(src)
	}
	return report
}
