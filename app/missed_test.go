package app_test

import (
	"testing"
	"time"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// GitHub delivers only once: webhooks that it sent while the app was down are fetched from its log.
func TestMissed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.until(func() string {
		if _, err := l.app.Store().Mark(t.Context(), "deliveries"); err != nil {
			return err.Error()
		}
		return ""
	})
	l.stop()
	l.commit("topic", smokeFiles())
	p, err := l.repo.OpenPull(fakegithub.PullOptions{Head: "topic"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.repo.PullRequestEvent("opened", p.Number)
	if err != nil {
		t.Fatal(err)
	}
	d := l.gh.LoseDelivery(e)
	l.opts.Now = func() time.Time { return time.Now().Add(5 * time.Minute) }
	l.start()
	l.check("queued")
	if got := l.ended(d.GUID); got.State != store.DeliveryProcessed {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
}
