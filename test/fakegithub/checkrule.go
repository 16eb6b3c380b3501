package fakegithub

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Limits of check runs, in bytes unless said otherwise. The description counts
// characters, and only some of these; GitHub counts bytes.
const (
	maxOutputText   = 65535
	maxAnnotations  = 50 // a request
	maxMessage      = 64 << 10
	maxTitle        = 255 // characters
	maxActions      = 3
	maxActionLabel  = 20 // characters, as the next two
	maxActionDetail = 40
	maxActionID     = 20
)

// checkInput is the body of a request that makes or changes a check run.
type checkInput struct {
	Name        *string    `json:"name"`
	HeadSHA     string     `json:"head_sha"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	Status      *string    `json:"status"`
	Conclusion  *string    `json:"conclusion"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string      `json:"title"`
		Summary     *string      `json:"summary"`
		Text        *string      `json:"text"`
		Annotations []Annotation `json:"annotations"`
		Images      []object     `json:"images"`
	} `json:"output"`
	Actions *[]CheckAction `json:"actions"`
}

// check holds the rules that the description leaves out or has looser.
func (in *checkInput) check() error {
	if in.Name != nil && *in.Name == "" {
		return errors.New("name is empty")
	}
	if in.Conclusion == nil {
		if in.Status != nil && *in.Status == "completed" {
			return errors.New("conclusion is required with the status completed")
		}
		if in.CompletedAt != nil {
			return errors.New("conclusion is required with completed_at")
		}
	} else if *in.Conclusion == "stale" {
		return errors.New("only GitHub sets the conclusion stale")
	}
	if in.Conclusion != nil && in.Status != nil && *in.Status != "completed" {
		return fmt.Errorf("conclusion %q with the status %q", *in.Conclusion, *in.Status)
	}
	if in.DetailsURL != nil {
		u, err := url.Parse(*in.DetailsURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return errors.New("details_url must use http or https scheme")
		}
	}
	if err := in.checkOutput(); err != nil {
		return err
	}
	return in.checkActions()
}

func (in *checkInput) checkOutput() error {
	if in.Output == nil {
		return nil
	}
	for name, text := range map[string]*string{"summary": in.Output.Summary, "text": in.Output.Text} {
		if text != nil && len(*text) > maxOutputText {
			return fmt.Errorf("output.%s exceeds a maximum bytesize of %d: %d", name, maxOutputText, len(*text))
		}
	}
	if n := len(in.Output.Annotations); n > maxAnnotations {
		return fmt.Errorf("%d annotations, no more than %d are allowed in a request", n, maxAnnotations)
	}
	for i, a := range in.Output.Annotations {
		if err := a.check(); err != nil {
			return fmt.Errorf("annotation %d: %w", i, err)
		}
	}
	return nil
}

func (a Annotation) check() error {
	switch {
	case a.Path == "":
		return errors.New("path is empty")
	case strings.HasPrefix(a.Path, "/"):
		return fmt.Errorf("path %q is not relative to the repository", a.Path)
	case a.StartLine < 1:
		return fmt.Errorf("start_line %d: lines start at 1", a.StartLine)
	case a.EndLine < a.StartLine:
		return fmt.Errorf("end_line %d is before start_line %d", a.EndLine, a.StartLine)
	case (a.StartColumn != nil || a.EndColumn != nil) && a.StartLine != a.EndLine:
		return errors.New("columns are only for annotations of one line")
	case a.Message == "":
		return errors.New("message is empty")
	case len(a.Message) > maxMessage:
		return fmt.Errorf("message has %d bytes, more than 64 KB", len(a.Message))
	case len(a.RawDetails) > maxMessage:
		return fmt.Errorf("raw_details have %d bytes, more than 64 KB", len(a.RawDetails))
	case len([]rune(a.Title)) > maxTitle:
		return fmt.Errorf("title has more than %d characters", maxTitle)
	}
	return nil
}

func (in *checkInput) checkActions() error {
	if in.Actions == nil {
		return nil
	}
	if len(*in.Actions) > maxActions {
		return fmt.Errorf("%d actions, no more than %d are allowed", len(*in.Actions), maxActions)
	}
	for _, a := range *in.Actions {
		if len([]rune(a.Label)) > maxActionLabel || len([]rune(a.Description)) > maxActionDetail ||
			len([]rune(a.Identifier)) > maxActionID {
			return fmt.Errorf("action %q: label and identifier have at most 20 characters, the description 40", a.Identifier)
		}
	}
	return nil
}

// apply makes the change. Annotations are added to those there; the rest of the
// output and the actions are replaced.
func (in *checkInput) apply(run *checkRun, now time.Time) {
	set(&run.Name, in.Name)
	set(&run.DetailsURL, in.DetailsURL)
	set(&run.ExternalID, in.ExternalID)
	set(&run.StartedAt, in.StartedAt)
	set(&run.Status, in.Status)
	if in.Status != nil && *in.Status != "completed" {
		run.Conclusion, run.CompletedAt = "", time.Time{}
	}
	if in.Conclusion != nil {
		run.Status, run.Conclusion, run.CompletedAt = "completed", *in.Conclusion, now
		set(&run.CompletedAt, in.CompletedAt)
	}
	if in.Output != nil {
		set(&run.Title, in.Output.Title)
		set(&run.Summary, in.Output.Summary)
		set(&run.Text, in.Output.Text)
		run.Annotations = append(run.Annotations, in.Output.Annotations...)
		run.Images = len(in.Output.Images)
	}
	if in.Actions != nil {
		run.Actions = *in.Actions
	}
	run.suite.updated = now
	state := run.Status
	if run.Conclusion != "" {
		state = run.Conclusion
	}
	if n := len(run.History); n == 0 || run.History[n-1] != state {
		run.History = append(run.History, state)
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}
