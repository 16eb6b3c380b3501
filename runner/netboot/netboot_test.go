package netboot_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
	"github.com/gantry-ci/gantry/runner/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is one under test.
type service interface {
	plan.Service
	io.Closer
}

// services are all that are real.
func services(t *testing.T) map[string]service {
	t.Helper()
	o := netboot.Options{Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}
	h, err := netboot.ListenHTTP(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := netboot.ListenTFTP(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(h.Close(), f.Close()); err != nil {
			t.Error(err)
		}
	})
	return map[string]service{"http": h, "tftp": f}
}

// journaled is the journal of an attempt in dir.
func journaled(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(filepath.Join(dir, "journal"), netboot.Undoers())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(j.Rollback(context.Background(), 0), j.Close()) })
	return j
}

// share serves a new folder.
func share(t *testing.T, s plan.Service, lease string) (plan.Share, *journal.Journal) {
	t.Helper()
	dir := t.TempDir()
	j := journaled(t, dir)
	sh, err := s.Serve(t.Context(), lease, dir, j)
	if err != nil {
		t.Fatal(err)
	}
	return sh, j
}

// put writes a file of n bytes, and returns them.
func put(t *testing.T, sh plan.Share, name string, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	if err := os.WriteFile(filepath.Join(sh.Folder, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(b)
}
