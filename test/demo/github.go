package main

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

// github starts GitHub with a repository, and opens a pull request whose head is the folder from, with the nonce in
// the place of @DEMO_NONCE@.
func (s *scene) github(ctx context.Context, from string) (err error) {
	if s.hub, err = fakegithub.New(ctx, fakegithub.Options{}); err != nil {
		return err
	}
	in := s.hub.AddInstallation("octo-org", fakegithub.InstallationOptions{})
	base, head := filepath.Join(s.dir, "base"), filepath.Join(s.dir, "head")
	if err := os.Mkdir(base, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(base, "README.md"), []byte("A kernel.\n"), 0o600); err != nil {
		return err
	}
	if err := layOut(from, head, s.nonce); err != nil {
		return fmt.Errorf("lay out %s: %w", from, err)
	}
	if s.repo, err = s.hub.AddRepo("octo-org", "kernel", base); err != nil {
		return err
	}
	if _, err = s.repo.Commit("feature", head, "boot: change something"); err != nil {
		return err
	}
	s.pull, err = s.repo.OpenPull(fakegithub.PullOptions{Head: "feature", Title: "Change something"})
	s.api = client{url: s.hub.URL(), key: s.hub.PrivateKey(), app: s.hub.AppID(), installation: in.ID}
	return err
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

// checkRun is what the API says of one.
type checkRun struct {
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
	Annotations []annotation `json:"annotations,omitempty"`
}

type annotation struct {
	Path    string `json:"path"`
	Line    int    `json:"start_line"`
	Level   string `json:"annotation_level"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// checks are those of a commit, whatever their state.
func (c *client) checks(ctx context.Context, repo, sha string) (runs []checkRun, err error) {
	if c.token == "" {
		var answer struct{ Token string }
		jwt, err := c.jwt()
		if err != nil {
			return nil, err
		}
		if err := c.do(ctx, http.MethodPost, fmt.Sprintf("/app/installations/%d/access_tokens", c.installation), jwt, &answer); err != nil {
			return nil, err
		}
		c.token = answer.Token
	}
	var list struct {
		CheckRuns []checkRun `json:"check_runs"`
	}
	if err := c.do(ctx, http.MethodGet, "/repos/"+repo+"/commits/"+sha+"/check-runs?filter=all", c.token, &list); err != nil {
		return nil, err
	}
	for i := range list.CheckRuns {
		r := &list.CheckRuns[i]
		if r.Output.Annotations == 0 {
			continue
		}
		if err := c.do(ctx, http.MethodGet, fmt.Sprintf("/repos/%s/check-runs/%d/annotations", repo, r.ID), c.token, &r.Annotations); err != nil {
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
		part(fmt.Appendf(nil, `{"iss":"%d","iat":%d,"exp":%d}`, c.app, now.Add(-time.Minute).Unix(), now.Add(5*time.Minute).Unix()))
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return signed + "." + part(sig), err
}
