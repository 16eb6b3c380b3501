package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/app/trigger"
	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs/config"
)

// Environment variables that may hold secrets instead of files. The command line never does: other users can read it.
const (
	EnvWebhookSecret = "GANTRY_WEBHOOK_SECRET" //nolint:gosec // its name
	EnvPrivateKey    = "GANTRY_PRIVATE_KEY"
)

// maxSecret is the largest secret file, in bytes.
const maxSecret = 64 << 10

// file is the app's configuration file, in YAML 1.2.
type file struct {
	Options
	privateKeyFile     string
	webhookSecretFiles []string
	pagesTokenFile     string
	forks              string
}

// Fields declares the file.
func (c *file) Fields(f *schema.Fields) {
	f.Optional("listen", schema.Limited(&c.Listen, 1, 300), "The address and port to serve on.")
	f.Required("url", schema.Limited(&c.URL, 1, 2000), "Where people, GitHub and runners reach the app.")
	f.Optional(
		"database", schema.Limited(&c.Database, 1, 2000),
		"The path of a SQLite file, from this file's folder; or a postgres:// address.",
	)
	f.Optional("blobs", schema.Limited(&c.Blobs, 1, 2000), "The folder of logs, from this file's folder.")
	f.Required("github", schema.Sub((*githubSection)(c)), "The GitHub App.")
	f.Optional("pages", schema.Sub((*pagesSection)(c)), "Who may read the pages.")
	f.Optional("policy", schema.Sub((*policySection)(c)), "What repositories may do.")
	f.Optional("retention", config.Duration(&c.Retention), "How long handled webhooks are kept.")
}

type githubSection file

// Fields declares the section.
func (c *githubSection) Fields(f *schema.Fields) {
	f.Required("app-id", schema.Number(&c.AppID, 1, 1<<53), "The App's id.")
	f.Optional("url", schema.Limited(&c.GitHubURL, 1, 2000), "The API's address, for GitHub Enterprise Server.")
	f.Optional(
		"private-key-file", schema.Limited(&c.privateKeyFile, 1, 2000),
		"The App's private key, in PEM; else "+EnvPrivateKey+" has it.",
	)
	f.Optional(
		"webhook-secret-file", schema.TextOrTexts(&c.webhookSecretFiles),
		"The webhook's secret, a file or several while it is changed; else "+EnvWebhookSecret+" has it.",
	)
}

type pagesSection file

// Fields declares the section.
func (c *pagesSection) Fields(f *schema.Fields) {
	f.Required(
		"token-file", schema.Limited(&c.pagesTokenFile, 1, 2000), "The password of pages and metrics, with any user name.",
	)
}

type policySection file

// Fields declares the section.
func (c *policySection) Fields(f *schema.Fields) {
	f.Optional("repositories", schema.Texts(&c.Policy.Repositories), "Patterns of owner/name that are served; none: all.")
	f.Optional(
		"forks", schema.OneOf(&c.forks, "refuse", "untrusted"), "Whether pull requests from forks run, and then as what.",
	)
}

// LoadConfig reads the configuration file and the secrets that it names. The caller adds logger and metrics. getenv is
// os.Getenv, or a test's.
func LoadConfig(path string, getenv func(string) string) (Options, error) {
	src, err := readLimited(path, schema.MaxSize)
	if err != nil {
		return Options{}, err
	}
	dir := filepath.Dir(path)
	c := &file{forks: "refuse"}
	c.Listen, c.Database, c.Blobs = "127.0.0.1:8080", "gantry.db", "blobs"
	n, r := schema.Parse(src, schema.YAML12)
	if n != nil {
		schema.Decode(n, "", c, schema.Strict, r)
	}
	if !r.Valid() {
		return Options{}, fmt.Errorf("read %s:\n%w", path, r.Err())
	}
	if !filepath.IsAbs(c.Database) && !strings.Contains(c.Database, "://") {
		c.Database = filepath.Join(dir, c.Database)
	}
	if !filepath.IsAbs(c.Blobs) {
		c.Blobs = filepath.Join(dir, c.Blobs)
	}
	if c.forks == "untrusted" {
		c.Policy.Forks = trigger.ForksUntrusted
	}
	err = c.secrets(dir, getenv)
	return c.Options, err
}

// secrets reads the secrets, from files, whose paths are relative to dir, or from the environment.
func (c *file) secrets(dir string, getenv func(string) string) error {
	read := func(path string) ([]byte, error) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		return readLimited(path, maxSecret)
	}
	c.PrivateKey = []byte(getenv(EnvPrivateKey))
	if c.privateKeyFile != "" {
		key, err := read(c.privateKeyFile)
		if err != nil {
			return err
		}
		c.PrivateKey = key
	}
	if s := getenv(EnvWebhookSecret); s != "" && len(c.webhookSecretFiles) == 0 {
		c.WebhookSecrets = []string{s}
	}
	if c.pagesTokenFile != "" {
		token, err := read(c.pagesTokenFile)
		if err != nil {
			return err
		}
		if c.PagesToken = strings.TrimRight(string(token), "\r\n"); c.PagesToken == "" {
			return fmt.Errorf("read %s: the token is empty", c.pagesTokenFile)
		}
	}
	for _, path := range c.webhookSecretFiles {
		s, err := read(path)
		if err != nil {
			return err
		}
		c.WebhookSecrets = append(c.WebhookSecrets, strings.TrimRight(string(s), "\r\n"))
	}
	return nil
}

func readLimited(path string, limit int64) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // it names action and path
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("read %s: it is over %d bytes", path, limit)
	}
	return b, err
}
