package ghapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// Errors that callers tell apart. Any other error of GitHub is worth another try.
var (
	// ErrNotFound: it does not exist, or the installation may not see it, which GitHub does not tell apart.
	ErrNotFound = errors.New("not found on GitHub")
	// ErrForbidden: GitHub does not accept the key, or the App lacks a permission.
	ErrForbidden = errors.New("forbidden by GitHub")
	// ErrInvalid: GitHub will never accept the request.
	ErrInvalid = errors.New("refused by GitHub")
	// ErrTooLarge: a file is over the limit.
	ErrTooLarge = errors.New("too large")
)

// LimitError says that a rate limit is reached: GitHub's, or ours below it.
type LimitError struct {
	After time.Duration // how long to wait
	What  string        // which limit
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("rate limit (%s): wait %s", e.What, e.After.Round(time.Second))
}

// classify wraps an error of go-github or ghinstallation in one of ours.
func classify(action string, err error) error {
	if err == nil {
		return nil
	}
	status, text := 0, err.Error()
	if e := (*github.ErrorResponse)(nil); errors.As(err, &e) {
		status, text = e.Response.StatusCode, describe(e)
	} else if e := (*ghinstallation.HTTPError)(nil); errors.As(err, &e) && e.Response != nil {
		_ = e.Response.Body.Close() // ghinstallation leaves it open
		status, text = e.Response.StatusCode, "installation token: "+e.Response.Status
	}
	switch status {
	case 0:
		return fmt.Errorf("%s: %w", action, err)
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%s: %w: %s", action, ErrNotFound, text)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s: %w: %s", action, ErrForbidden, text)
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return fmt.Errorf("%s: %w: %s", action, ErrInvalid, text)
	default:
		return fmt.Errorf("%s: GitHub answered %d: %s", action, status, text)
	}
}

func describe(e *github.ErrorResponse) string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, d := range e.Errors {
		fmt.Fprintf(&b, "; %s", d.Error())
	}
	return b.String()
}
