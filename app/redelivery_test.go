package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// A GUID is one delivery, however often it arrives. A redelivery replaces one that failed.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p, d := l.open(smokeFiles())
	e, err := l.repo.PullRequestEvent("opened", p.Number)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.send(e, fakegithub.DeliveryOptions{GUID: d.GUID, Redelivery: true})
	}
	l.ended(d.GUID)
	if runs := l.runs(); len(runs) != 1 {
		t.Errorf("a GUID made %d runs", len(runs))
	}
	l.check("queued")
}

func TestRedeliveryOfFailed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	broken := fakegithub.ServerError(502).On(http.MethodGet, "/repos/octo-lab/kernel/pulls")
	broken.Times = 1000
	l.gh.Inject(broken)
	p, d := l.open(smokeFiles())
	if got := l.ended(d.GUID); got.State != store.DeliveryFailed || !strings.Contains(got.Reason, "502") {
		t.Fatalf("%s: %s", got.State, got.Reason)
	}
	l.gh.ClearFaults()
	e, err := l.repo.PullRequestEvent("opened", p.Number)
	if err != nil {
		t.Fatal(err)
	}
	l.send(e, fakegithub.DeliveryOptions{GUID: d.GUID, Redelivery: true})
	l.check("queued")
	if got := l.ended(d.GUID); got.State != store.DeliveryProcessed {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
	if runs := l.runs(); len(runs) != 1 {
		t.Errorf("%d runs", len(runs))
	}
}
