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

// Errors that callers tell apart; anything else from GitHub is worth another try.
var (
	// ErrNotFound is a thing that does not exist, or that the installation may not see: GitHub tells these apart for
	// nobody.
	ErrNotFound = errors.New("not found on GitHub")
	// ErrForbidden is a key that GitHub does not take, or a permission the App lacks.
	ErrForbidden = errors.New("forbidden by GitHub")
	// ErrInvalid is a request that GitHub will never accept.
	ErrInvalid = errors.New("refused by GitHub")
	// ErrTooLarge is a file over the limit.
	ErrTooLarge = errors.New("too large")
)

// LimitError says that a limit of GitHub, or ours below it, is reached.
type LimitError struct {
	After time.Duration // wait this long
	What  string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("rate limit (%s): wait %s", e.What, e.After.Round(time.Second))
}

// classify adds to an error of go-github or ghinstallation which of ours it is.
func classify(action string, err error) error {
	if err == nil {
		return nil
	}
	status, text := 0, err.Error()
	if e := (*github.ErrorResponse)(nil); errors.As(err, &e) {
		status, text = e.Response.StatusCode, describe(e)
	} else if e := (*ghinstallation.HTTPError)(nil); errors.As(err, &e) && e.Response != nil {
		_ = e.Response.Body.Close() // ghinstallation leaves it open for us
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
