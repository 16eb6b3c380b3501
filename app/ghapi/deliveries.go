package ghapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"
)

// maxDeliveryPages is how many pages of 100 of GitHub's log are read: three days of a busy App.
const maxDeliveryPages = 200

// Delivery is a webhook in GitHub's log, whether it arrived or not.
type Delivery struct {
	ID    int64
	GUID  string
	Event string
	At    time.Time
}

// Deliveries reads GitHub's log of the App's webhooks back to the time, the newest first. GitHub keeps three days.
func (a *App) Deliveries(ctx context.Context, since time.Time) ([]Delivery, error) {
	var out []Delivery
	o := &github.ListCursorOptions{PerPage: 100}
	for range maxDeliveryPages {
		page, resp, err := a.self.Apps.ListHookDeliveries(ctx, o)
		if err != nil {
			return nil, classify("list webhook deliveries", err)
		}
		for _, d := range page {
			if d.GetDeliveredAt().Before(since) {
				return out, nil
			}
			out = append(out, Delivery{d.GetID(), d.GetGUID(), d.GetEvent(), d.GetDeliveredAt().Time})
		}
		if o.Cursor = resp.Cursor; o.Cursor == "" {
			break
		}
	}
	return out, nil
}

// Payload reads the payload of a webhook in GitHub's log.
func (a *App) Payload(ctx context.Context, d Delivery) ([]byte, error) {
	action := fmt.Sprintf("read webhook delivery %q", d.GUID)
	full, _, err := a.self.Apps.GetHookDelivery(ctx, d.ID)
	if err != nil {
		return nil, classify(action, err)
	}
	if full.Request == nil || full.Request.RawPayload == nil {
		return nil, fmt.Errorf("%s: %w: it has no payload", action, ErrInvalid)
	}
	return *full.Request.RawPayload, nil
}

// asApp is the client of the App itself, which may read its own settings and log, but no repository.
func (a *App) asApp() *github.Client { return a.client(newLimiter(a.app, a.now, a.meter)) }

// client is go-github over a transport that signs.
func (a *App) client(signed http.RoundTripper) *github.Client {
	gh := github.NewClient(&http.Client{Transport: signed, CheckRedirect: a.sameHost})
	gh.BaseURL = a.base
	return gh
}
