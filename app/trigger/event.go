package trigger

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Event is the part of a webhook's payload that is needed.
type Event struct {
	Name         string // of X-GitHub-Event
	Action       string `json:"action"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	Repository struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
	PullRequest struct {
		Number int64 `json:"number"`
		Head   struct {
			SHA string `json:"sha"`
		} `json:"head"`
	} `json:"pull_request"`
	CheckRun struct {
		Name       string `json:"name"`
		HeadSHA    string `json:"head_sha"`
		ExternalID string `json:"external_id"`
		App        struct {
			ID int64 `json:"id"`
		} `json:"app"`
	} `json:"check_run"`
	CheckSuite struct {
		HeadSHA string `json:"head_sha"`
		App     struct {
			ID int64 `json:"id"`
		} `json:"app"`
	} `json:"check_suite"`
}

// Parse reads the payload of an event.
func Parse(name string, body []byte) (Event, error) {
	e := Event{Name: name}
	var typeError *json.UnmarshalTypeError
	switch err := json.Unmarshal(body, &e); {
	case errors.As(err, &typeError) && typeError.Field != "":
		return e, fmt.Errorf("payload's %s is a %s", typeError.Field, typeError.Value)
	case errors.As(err, &typeError):
		return e, fmt.Errorf("payload is a %s, not an object", typeError.Value)
	case err != nil:
		return e, fmt.Errorf("payload is not JSON: %w", err)
	}
	return e, nil
}
