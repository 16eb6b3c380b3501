package agent

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

// credential is what the runner authenticates with, and the file that keeps it.
type credential struct {
	path   string
	header atomic.Pointer[string]
}

const credentialName = "credential" // in the runner's folder

type credentialFile struct {
	Runner string `json:"runner,omitempty"` // empty until the app has answered
	Secret string `json:"secret"`
}

func (c *credential) load() (f credentialFile, err error) {
	b, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return f, fmt.Errorf("read credential: %w", err)
	}
	return f, nil
}

// Enrolled reports whether the runner that keeps its state in dir is enrolled. One that was cut off before the app's
// answer arrived needs a token again.
func Enrolled(dir string) (bool, error) {
	c := credential{path: filepath.Join(dir, credentialName)}
	f, err := c.load()
	return f.Runner != "", err
}

func (c *credential) use(f credentialFile) {
	h := "Bearer " + f.Runner + "." + f.Secret
	c.header.Store(&h)
}

// enroll makes sure that there is a credential. The secret is chosen and stored before the app is asked, so that an
// answer that gets lost can be asked for again.
func (a *Agent) enroll(ctx context.Context) error {
	f, err := a.auth.load()
	if err != nil {
		return err
	}
	if f.Runner != "" {
		a.auth.use(f)
		return nil
	}
	if a.o.Token == "" {
		return fmt.Errorf("enroll runner %q: no enrollment token, and no credential in %s", a.o.Name, a.auth.path)
	}
	if f.Secret == "" {
		f.Secret = rand.Text() + rand.Text()
		if err := writeJSON(a.auth.path, f); err != nil {
			return fmt.Errorf("enroll runner %q: %w", a.o.Name, err)
		}
	}
	if f.Runner, err = a.requestEnrollment(ctx, f.Secret); err == nil {
		err = writeJSON(a.auth.path, f)
	}
	if err != nil {
		return fmt.Errorf("enroll runner %q: %w", a.o.Name, err)
	}
	a.auth.use(f)
	return nil
}

// requestEnrollment asks the app for a place in the lab until it answers, and returns the runner's id.
func (a *Agent) requestEnrollment(ctx context.Context, secret string) (runner string, err error) {
	hash := sha256.Sum256([]byte(secret))
	req := &gantryv1.EnrollRequest{Token: a.o.Token, Name: a.o.Name, SecretHash: hex.EncodeToString(hash[:])}
	for n := 0; ; n++ {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		res, err := a.client.Enroll(call, req)
		cancel()
		switch code := connect.CodeOf(err); {
		case err == nil:
			return res.GetRunner(), nil
		case code == connect.CodePermissionDenied || code == connect.CodeInvalidArgument:
			return "", err
		}
		a.log.WarnContext(ctx, "enroll", "server", a.o.Server, "err", err)
		if !a.wait(ctx, n) {
			return "", context.Cause(ctx)
		}
	}
}
