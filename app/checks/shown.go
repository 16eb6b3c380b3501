package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/ghapi"
)

// bare is what GitHub cannot take amiss: the state without any detail. A pull request must not wait for ever for a
// check whose details GitHub refuses.
func (s Shown) bare() Shown {
	title := s.Run.Conclusion
	if title == "" {
		title = s.Run.Status
	}
	return Shown{Run: ghapi.CheckRun{
		Name: s.Run.Name, HeadSHA: s.Run.HeadSHA, ExternalID: s.Run.ExternalID, DetailsURL: s.Run.DetailsURL,
		Status: s.Run.Status, Conclusion: s.Run.Conclusion,
		Output: &ghapi.Output{Title: title, Summary: "GitHub refused to show the details. The lab's own page has them."},
	}}
}

// key is what people wait for.
func (s Shown) key() string { return s.Run.Status + "/" + s.Run.Conclusion }

// hash identifies what is shown: its key and a digest.
func (s Shown) hash() string {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Sprintf("%s %s", s.key(), uuid.NewString()) // cannot be; then it is sent
	}
	sum := sha256.Sum256(b)
	return s.key() + " " + hex.EncodeToString(sum[:16])
}

func sentKey(hash string) string { return hash[:max(0, len(hash)-33)] }
