package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/gantry-ci/gantry/app/ghapi"
)

// withoutDetails is the state alone, which GitHub cannot refuse: a pull request must not wait for ever for a check
// whose details GitHub does not accept.
func (s Rendered) withoutDetails() Rendered {
	title := s.Run.Conclusion
	if title == "" {
		title = s.Run.Status
	}
	return Rendered{Run: ghapi.CheckRun{
		Name: s.Run.Name, HeadSHA: s.Run.HeadSHA, ExternalID: s.Run.ExternalID, DetailsURL: s.Run.DetailsURL,
		Status: s.Run.Status, Conclusion: s.Run.Conclusion,
		Output: &ghapi.Output{Title: title, Summary: "GitHub refused to show the details. The lab's own page has them."},
	}}
}

// key is the part that people wait for.
func (s Rendered) key() string { return s.Run.Status + "/" + s.Run.Conclusion }

// hash identifies what is shown: the key and a digest.
func (s Rendered) hash() string {
	b, err := json.Marshal(s)
	if err != nil { // impossible; then it is sent
		return fmt.Sprintf("%s %s", s.key(), uuid.NewString())
	}
	sum := sha256.Sum256(b)
	return s.key() + " " + hex.EncodeToString(sum[:16])
}

// sentKey is the key of a hash.
func sentKey(hash string) string { return hash[:max(0, len(hash)-33)] }
