package app_test

import (
	"testing"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/fakegithub"
	"github.com/gantry-ci/gantry/test/postgres"
)

// The same path on PostgreSQL.
func TestPostgres(t *testing.T) {
	t.Parallel()
	dsn := postgres.Start(t)
	l := newLab(t, func(o *app.Options, _ *fakegithub.Options) { o.Database = dsn })
	l.open(smokeFiles())
	c := l.check("queued")
	l.connect()
	lease := l.lease()
	l.check("in_progress")
	l.stop()
	l.start()
	l.finish(lease, nil, results.Case{Suite: "0_smoke", Case: "uname", Result: results.Pass})
	if got := l.check("success"); got.ID != c.ID {
		t.Error("another check run")
	}
}
