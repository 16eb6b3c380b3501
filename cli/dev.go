package cli

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gantry-ci/gantry/app"
	"github.com/gantry-ci/gantry/internal/atomicfile"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/lab"
)

type devCmd struct {
	Dir            string   `default:".gantry" help:"Where everything is kept."`
	Listen         string   `default:"127.0.0.1:8080" help:"Address to serve on."`
	GithubURL      string   `help:"GitHub's API, for an Enterprise Server or a stand-in."`
	AppID          int64    `default:"1" help:"The GitHub App's id."`
	PrivateKeyFile string   `help:"The App's private key; without it one is generated, and GitHub will not know it."`
	FileRoot       []string `help:"Folder that file: URLs of jobs may lead to."`
}

// Run serves until a signal.
func (c *devCmd) Run(ctx context.Context, e *env) error {
	o := DevOptions{
		Dir: c.Dir, Listen: c.Listen, GitHubURL: c.GithubURL, AppID: c.AppID, FileRoots: c.FileRoot, Logger: e.logger,
	}
	if c.PrivateKeyFile != "" {
		key, err := os.ReadFile(c.PrivateKeyFile)
		if err != nil {
			return usagef("read the private key: %w", err)
		}
		o.PrivateKey = key
	}
	l, err := Dev(o)
	if err != nil {
		return err
	}
	l.Ready = func(addr string) error {
		_, err := fmt.Fprintf(e.stdout, "app       http://%s\nwebhooks  http://%s/hook\nsecret    %s\n",
			addr, addr, filepath.Join(c.Dir, secretFile))
		return err
	}
	return ServeLab(ctx, l)
}

// DevOptions are the options of Dev.
type DevOptions struct {
	Dir        string // of everything that is kept; created if it is missing
	Listen     string
	GitHubURL  string
	AppID      int64
	PrivateKey []byte // PEM; generated when empty
	FileRoots  []string
	Logger     *slog.Logger
}

const (
	secretFile = "webhook-secret"
	keyFile    = "private-key.pem"
	keyBits    = 2048 // GitHub's own keys have as many
)

// Dev is a lab with defaults: SQLite, one guest, and secrets that are generated once and kept in Dir.
func Dev(o DevOptions) (Lab, error) {
	dir, err := filepath.Abs(o.Dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return Lab{}, usagef("make the folder: %w", err)
	}
	secret, err := kept(filepath.Join(dir, secretFile), func() ([]byte, error) { return []byte(rand.Text()), nil })
	if err != nil {
		return Lab{}, err
	}
	if len(o.PrivateKey) == 0 {
		if o.PrivateKey, err = kept(filepath.Join(dir, keyFile), privateKey); err != nil {
			return Lab{}, err
		}
	}
	e := &env{stderr: os.Stderr}
	d, err := e.device("qemu-x86_64")
	if err != nil {
		return Lab{}, err
	}
	return Lab{
		Logger: o.Logger,
		App: app.Options{
			Listen: o.Listen, URL: "http://" + o.Listen, Database: filepath.Join(dir, "gantry.db"),
			Blobs:     filepath.Join(dir, "blobs"),
			GitHubURL: o.GitHubURL, AppID: o.AppID, PrivateKey: o.PrivateKey, WebhookSecrets: []string{string(secret)},
		},
		Runner: &lab.Config{
			Name: "dev", Dir: filepath.Join(dir, "runner"), FileRoots: o.FileRoots, Devices: map[string]*jobs.Device{d.Name: d},
		},
	}, nil
}

// kept is the content of a file, which is created if it is missing.
func kept(path string, fresh func() ([]byte, error)) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return b, err
	}
	if b, err = fresh(); err != nil {
		return nil, err
	}
	return b, atomicfile.WriteBytes(path, 0o600, b)
}

func privateKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
}
