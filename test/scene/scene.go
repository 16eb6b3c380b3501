// Package scene sets GitHub's side of an experiment: test/fakegithub with a repository, pull requests in it, and a
// client that reads their checks over HTTP as anybody would. The demo and the experiments share it.
package scene

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// hourlyBudget is larger than GitHub gives: who watches an experiment asks more often than an App does.
const hourlyBudget = 1_000_000

// Scene is a GitHub with one repository that the App is installed on.
type Scene struct {
	Hub  *fakegithub.Server
	Repo *fakegithub.Repo

	dir  string
	from string
	api  client
	n    int
}

// Open starts GitHub. Pull requests will have the folder from as their head; dir is for the scene's own files.
func Open(ctx context.Context, dir, from string) (s *Scene, err error) {
	s = &Scene{dir: dir, from: from}
	base := filepath.Join(dir, "base")
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(base, "README.md"), []byte("A kernel.\n"), 0o600); err != nil {
		return nil, err
	}
	if s.Hub, err = fakegithub.New(ctx, fakegithub.Options{HourlyBudget: hourlyBudget}); err != nil {
		return nil, err
	}
	in := s.Hub.AddInstallation("octo-org", fakegithub.InstallationOptions{})
	if s.Repo, err = s.Hub.AddRepo("octo-org", "kernel", base); err != nil {
		return nil, errors.Join(err, s.Hub.Close()) //nolint:contextcheck // it bounds itself
	}
	s.api = client{url: s.Hub.URL(), key: s.Hub.PrivateKey(), app: s.Hub.AppID(), installation: in.ID}
	return s, nil
}

// Head is the folder of the newest pull request's head.
func (s *Scene) Head() string { return filepath.Join(s.dir, fmt.Sprintf("head-%d", s.n)) }

// Pull opens a pull request, whose files have nonce in the place of @DEMO_NONCE@.
func (s *Scene) Pull(nonce string) (fakegithub.Pull, error) {
	s.n++
	if err := layOut(s.from, s.Head(), nonce); err != nil {
		return fakegithub.Pull{}, fmt.Errorf("lay out %s: %w", s.from, err)
	}
	branch := fmt.Sprintf("feature-%d", s.n)
	if _, err := s.Repo.Commit(branch, s.Head(), "boot: change something"); err != nil {
		return fakegithub.Pull{}, err
	}
	return s.Repo.OpenPull(fakegithub.PullOptions{Head: branch, Title: "Change something"})
}

// Opened delivers the webhook of a pull request that was opened.
func (s *Scene) Opened(ctx context.Context, p fakegithub.Pull) (fakegithub.Delivery, error) {
	event, err := s.Repo.PullRequestEvent("opened", p.Number)
	if err != nil {
		return fakegithub.Delivery{}, err
	}
	return s.Hub.Send(ctx, event)
}

// Checks are the check runs of a commit, whatever their state.
func (s *Scene) Checks(ctx context.Context, sha string) ([]CheckRun, error) {
	return s.api.checks(ctx, s.Repo.FullName(), sha)
}

// layOut copies a folder, with the nonce in the place of its name.
func layOut(from, to, nonce string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), bytes.ReplaceAll(b, []byte("@DEMO_NONCE@"), []byte(nonce)), 0o600)
	})
}

// client reads GitHub's API as anybody would: with an installation's token, over HTTP.
type client struct {
	url               string
	key               []byte
	app, installation int64
	token             string
}

// CheckRun is what the API says of one.
type CheckRun struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	HeadSHA    string `json:"head_sha"`
	ExternalID string `json:"external_id"`
	DetailsURL string `json:"details_url"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	Started    string `json:"started_at"`
	Completed  string `json:"completed_at"`
	Output     struct {
		Title       string `json:"title"`
		Summary     string `json:"summary"`
		Text        string `json:"text"`
		Annotations int    `json:"annotations_count"`
	} `json:"output"`
	Annotations []Annotation `json:"annotations,omitempty"`
}

// Annotation is a remark at a line.
type Annotation struct {
	Path    string `json:"path"`
	Line    int    `json:"start_line"`
	Level   string `json:"annotation_level"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// checks are those of a commit, whatever their state.
func (c *client) checks(ctx context.Context, repo, sha string) (runs []CheckRun, err error) {
	if c.token == "" {
		var answer struct{ Token string }
		jwt, err := c.jwt()
		if err != nil {
			return nil, err
		}
		if err := c.do(
			ctx, http.MethodPost, fmt.Sprintf("/app/installations/%d/access_tokens", c.installation), jwt, &answer,
		); err != nil {
			return nil, err
		}
		c.token = answer.Token
	}
	var list struct {
		CheckRuns []CheckRun `json:"check_runs"`
	}
	if err := c.do(
		ctx, http.MethodGet, "/repos/"+repo+"/commits/"+sha+"/check-runs?filter=all", c.token, &list,
	); err != nil {
		return nil, err
	}
	for i := range list.CheckRuns {
		r := &list.CheckRuns[i]
		if r.Output.Annotations == 0 {
			continue
		}
		if err := c.do(
			ctx, http.MethodGet, fmt.Sprintf("/repos/%s/check-runs/%d/annotations", repo, r.ID), c.token, &r.Annotations,
		); err != nil {
			return nil, err
		}
	}
	return list.CheckRuns, nil
}

func (c *client) do(ctx context.Context, method, path, token string, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/vnd.github+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, body)
	}
	return json.Unmarshal(body, into)
}

// jwt is the App's own token: RS256 over the App's id and a lifetime.
func (c *client) jwt() (string, error) {
	block, _ := pem.Decode(c.key)
	if block == nil {
		return "", errors.New("the App's key is not PEM")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	now := time.Now()
	part := base64.RawURLEncoding.EncodeToString
	signed := part([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." +
		part(fmt.Appendf(
			nil, `{"iss":"%d","iat":%d,"exp":%d}`, c.app, now.Add(-time.Minute).Unix(), now.Add(5*time.Minute).Unix(),
		))
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return signed + "." + part(sig), err
}
