package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app/trigger"
)

// Options of an app.
type Options struct {
	Listen   string // address and port; port 0 is any free one
	URL      string // at which people, GitHub and runners reach the app
	Database string // path of a SQLite file, or postgres://…
	Blobs    string // folder of consoles and events

	GitHubURL      string // of the API, for GitHub Enterprise Server; empty is github.com
	AppID          int64
	PrivateKey     []byte   // PEM
	WebhookSecrets []string // any of them may sign: there are several while they are rotated

	PagesToken string // password of pages and metrics; empty: they are public

	Version   string // of gantry
	Policy    trigger.Policy
	Retention time.Duration // of handled deliveries; at least 4 days, 0 is 30 days

	Now        func() time.Time // nil is the wall clock
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer // for /metrics
}

// minRetention is more than the three days for which GitHub keeps its log, since what it has must be known here.
const minRetention = 4 * 24 * time.Hour

const minPagesToken = 16 // characters: nothing slows down somebody who guesses

// validate reports all mistakes at once.
func (o *Options) validate() error {
	var errs []error
	need := func(ok bool, format string, a ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, a...))
		}
	}
	need(o.Listen != "", "listen: an address is required")
	u, err := url.Parse(o.URL)
	need(
		err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"), "url: %q is not an http(s) address", o.URL,
	)
	need(o.Database != "", "database: a path or an address is required")
	need(o.Blobs != "", "blobs: a folder is required")
	need(o.AppID > 0, "github: app-id is required")
	need(len(o.PrivateKey) > 0, "github: the App's private key is required")
	need(len(o.WebhookSecrets) > 0 && !slices.ContainsFunc(o.WebhookSecrets, blank),
		"github: a webhook secret is required, and none may be empty: without one anybody could start runs")
	need(
		o.PagesToken == "" || len(o.PagesToken) >= minPagesToken, "pages: a token of fewer than %d characters can be guessed",
		minPagesToken,
	)
	need(o.Logger != nil && o.Registerer != nil && o.Gatherer != nil, "a logger and a metrics registry are required")
	need(
		o.Retention == 0 || o.Retention >= minRetention, "retention: less than %s would forget what GitHub still knows",
		minRetention,
	)
	errs = append(errs, o.Policy.Validate())
	return errors.Join(errs...)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
