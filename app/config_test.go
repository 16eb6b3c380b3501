package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/app/trigger"
)

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"key.pem": "KEY", "old": "one\n", "new": "two\n", "pages": "a long token\n", "empty": "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func(text string, env map[string]string) (app.Options, error) {
		t.Helper()
		path := filepath.Join(dir, "app.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return app.LoadConfig(path, func(k string) string { return env[k] })
	}
	got, err := load(`
url: https://lab.example.org
database: postgres://gantry@db/gantry
github: {app-id: 7, private-key-file: key.pem, webhook-secret-file: [old, new]}
policy: {repositories: [octo/*], forks: untrusted}
pages: {token-file: pages}
retention: 7d
`, nil)
	want := app.Options{
		Listen: "127.0.0.1:8080", URL: "https://lab.example.org", Database: "postgres://gantry@db/gantry",
		Blobs: filepath.Join(dir, "blobs"),
		AppID: 7, PrivateKey: []byte("KEY"), WebhookSecrets: []string{"one", "two"}, Retention: 7 * 24 * time.Hour,
		PagesToken: "a long token",
		Policy:     trigger.Policy{Repositories: []string{"octo/*"}, Forks: trigger.ForksUntrusted},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	got, err = load("url: https://x\ngithub: {app-id: 7}\n", map[string]string{
		app.EnvWebhookSecret: "s", app.EnvPrivateKey: "K",
	})
	if err != nil || len(got.WebhookSecrets) != 1 || got.WebhookSecrets[0] != "s" || string(got.PrivateKey) != "K" {
		t.Error(got, err)
	}
	for text, why := range map[string]string{
		"url: https://x\ngithub: {app-id: 7}\nlisen: x\n":                             "3:1",
		"url: https://x\ngithub: {app-id: seven}\n":                                   "app-id",
		"url: https://x\ngithub: {app-id: 7, private-key-file: none.pem}\n":           "none.pem",
		"url: https://x\ngithub: {app-id: 7}\npages: {token-file: empty}\n":           "empty",
		"url: https://x\ngithub: {app-id: 7}\npages: {}\n":                            "token-file",
		"github: {app-id: 7}\n":                                                       "url",
		"url: https://x\ngithub: {app-id: 7}\npolicy: {forks: all}\n":                 "forks",
		"url: https://x\ngithub: {app-id: 7}\nwebhook-secret: s3cret\n":               "webhook-secret",
		"url: https://x\ngithub: {app-id: 7}\n# " + strings.Repeat("x", 1<<20) + "\n": "1048576",
		"url: https://x\nurl: https://y\ngithub: {app-id: 7}\n":                       "url",
	} {
		if _, err := load(text, nil); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.60q: %v, want %q", text, err, why)
		}
	}
}

// The example in the manual is valid.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("../docs/app.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(manual), "```yaml\n")
	example, _, found := strings.Cut(example, "```")
	dir := t.TempDir()
	for name, text := range map[string]string{"app.yaml": example, "app.pem": "KEY", "webhook.secret": "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := app.LoadConfig(filepath.Join(dir, "app.yaml"), os.Getenv); err != nil || !found {
		t.Error(err, found)
	}
}
