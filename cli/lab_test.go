package cli_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/cli"
	"github.com/gantry-ci/gantry/test/fakegithub"
)

// A lab that was killed after its runner chose a secret and before the app answered enrolls when it starts again.
func TestLabCutEnrollment(t *testing.T) {
	gh := fakegithub.Start(t, fakegithub.Options{})
	dir := t.TempDir()
	l, err := cli.Dev(cli.DevOptions{
		Dir: dir, Listen: "127.0.0.1:0", GitHubURL: gh.URL(), AppID: gh.AppID(), PrivateKey: gh.PrivateKey(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	credential := filepath.Join(l.Runner.Dir, "credential")
	if err := os.MkdirAll(l.Runner.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(credential, []byte(`{"secret":"chosen"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- cli.ServeLab(ctx, l) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the lab ended: %v", err)
		case <-tick.C:
		}
		b, err := os.ReadFile(credential)
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Runner, Secret string }
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		if f.Runner != "" {
			if f.Secret != "chosen" {
				t.Errorf("another secret: %q", f.Secret)
			}
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
