package netboot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is one under test.
type service interface {
	netboot.Service
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
func share(t *testing.T, s netboot.Service, lease string) (netboot.Share, *journal.Journal) {
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
func put(t *testing.T, sh netboot.Share, name string, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	if err := os.WriteFile(filepath.Join(sh.Folder, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// clients are what boards and people use, by the scheme that they are given; each writes the file to path.
func clients() map[string]func(u *url.URL, path string) []string {
	curl := func(more ...string) func(u *url.URL, path string) []string {
		return func(u *url.URL, path string) []string {
			return append([]string{"curl", "-sSf", "-m", "60", "-o", path, u.String()}, more...)
		}
	}
	atftp := func(more ...string) func(u *url.URL, path string) []string {
		return func(u *url.URL, path string) []string {
			args := []string{"atftp", "-g", "-r", u.Path, "-l", path}
			for _, m := range more {
				args = append(args, "--option", m)
			}
			return append(args, u.Hostname(), u.Port())
		}
	}
	return map[string]func(u *url.URL, path string) []string{
		"http curl":                curl(),
		"tftp curl":                curl(),
		"tftp curl, large blocks":  curl("--tftp-blksize", "1468"),
		"tftp curl, no options":    curl("--tftp-no-options"),
		"tftp atftp":               atftp(),
		"tftp atftp, options":      atftp("blksize 1024", "tsize 0", "timeout 2"),
		"tftp atftp, windows of 8": atftp("windowsize 8", "blksize 600"),
		"tftp busybox": func(u *url.URL, path string) []string {
			return []string{"busybox", "tftp", "-g", "-b", "1432", "-r", u.Path, "-l", path, u.Hostname(), u.Port()}
		},
	}
}

// lengths are those of files that differ in the protocols, as far as a client knows them.
func lengths(client string) []int {
	all := []int{0, 1, 511, 512, 1432, 100_000, 1 << 20}
	if strings.HasPrefix(client, "tftp curl") && !strings.HasSuffix(client, "no options") {
		return all[1:] // curl takes a size of 0 for an error of the server's
	}
	return all
}

// TestClients has the field's clients fetch files of all such lengths.
func TestClients(t *testing.T) {
	all := services(t)
	for name, command := range clients() {
		t.Run(name, func(t *testing.T) {
			scheme, _, _ := strings.Cut(name, " ")
			sh, _ := share(t, all[scheme], "lease-1")
			for _, n := range lengths(name) {
				file := fmt.Sprint("file", n)
				want := put(t, sh, file, n)
				got := filepath.Join(t.TempDir(), file)
				args := command(sh.Address.JoinPath(file), got)
				if _, err := exec.LookPath(args[0]); err != nil {
					t.Skipf("no %s here", args[0])
				}
				if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
					t.Fatalf("%q: %v\n%s", args, err, out)
				}
				b, err := os.ReadFile(got)
				if n == 0 && errors.Is(err, os.ErrNotExist) {
					continue // some make no empty file
				}
				if err != nil || string(b) != want {
					t.Errorf("%d bytes of %d, error %v", len(b), n, err)
				}
			}
		})
	}
}

// get fetches a file by its service's protocol, or says why not.
func get(t *testing.T, u *url.URL) (string, error) {
	t.Helper()
	if u.Scheme == "tftp" {
		return dialTFTP(t, u).fetch(u.Path)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return string(b), err
}

// TestNothingElse asks for all that a folder must not give away.
func TestNothingElse(t *testing.T) {
	for name, s := range services(t) {
		t.Run(name, func(t *testing.T) {
			mine, _ := share(t, s, "lease-1")
			other, _ := share(t, s, "lease-2")
			want := put(t, mine, "ours", 700)
			put(t, other, "theirs", 700)
			err := errors.Join(
				os.Mkdir(filepath.Join(mine.Folder, "sub"), 0o755),
				os.Symlink("ours", filepath.Join(mine.Folder, "inside")),
				os.Symlink("/etc/passwd", filepath.Join(mine.Folder, "absolute")),
				os.Symlink(filepath.Join(other.Folder, "theirs"), filepath.Join(mine.Folder, "across")),
				os.Symlink("../journal", filepath.Join(mine.Folder, "up")),
				os.Symlink("..", filepath.Join(mine.Folder, "parent")),
				unix.Mkfifo(filepath.Join(mine.Folder, "pipe"), 0o600),
			)
			if err != nil {
				t.Fatal(err)
			}
			for _, ok := range []string{"ours", "inside", "sub/../ours"} {
				u := *mine.Address
				u.Path += "/" + ok
				if got, err := get(t, &u); err != nil || got != want {
					t.Errorf("%s: %d bytes, %v", ok, len(got), err)
				}
			}
			secret := strings.Trim(mine.Address.Path, "/")
			for _, path := range []string{
				"", "/", "//ours", "/lease-1/ours", "/" + filepath.Base(mine.Folder) + "/ours", "/" + secret[1:] + "/ours",
				"/" + strings.ToUpper(secret) + "/ours", "/SECRET", "/SECRET/", "/SECRET/sub", "/SECRET/absolute",
				"/SECRET/across", "/SECRET/up", "/SECRET/parent/journal", "/SECRET/pipe", "/SECRET/../../../etc/passwd",
				"/SECRET//etc/passwd", "/SECRET/theirs", "/SECRET/none", "/SECRET/a\x00b",
			} {
				path = strings.Replace(path, "SECRET", secret, 1)
				u := *mine.Address
				u.Path = path
				if got, err := get(t, &u); err == nil {
					t.Errorf("%q gives %q", path, got)
				}
			}
		})
	}
}

// TestTakenBack ends a share while a client is in the middle of a file: the journal's undo waits for nobody.
func TestTakenBack(t *testing.T) {
	for name, s := range services(t) {
		t.Run(name, func(t *testing.T) {
			sh, j := share(t, s, "lease-1")
			kept, _ := share(t, s, "lease-2")
			put(t, sh, "large", 64<<20)
			want := put(t, kept, "file", 5000)
			c := begin(t, sh.Address.JoinPath("large"))
			if err := j.Rollback(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(sh.Folder); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder is left: %v", err)
			}
			if _, err := get(t, sh.Address.JoinPath("large")); err == nil {
				t.Error("it is still served")
			}
			if got, err := get(t, kept.Address.JoinPath("file")); err != nil || got != want {
				t.Errorf("another's: %d bytes, %v", len(got), err)
			}
			_ = c.Close()
		})
	}
}

// begin asks for a file, takes its first bytes, and then nothing.
func begin(t *testing.T, u *url.URL) net.Conn {
	t.Helper()
	var b [1024]byte
	if u.Scheme == "tftp" {
		c := dialTFTP(t, u)
		c.send(request(u.Path, "octet"))
		if _, err := c.conn.Read(b[:]); err != nil {
			t.Fatal(err)
		}
		return c.conn
	}
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", u.Path)
	_, e := io.ReadFull(c, b[:])
	if err := errors.Join(err, e); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCrash has a process take back what another one served.
func TestCrash(t *testing.T) {
	s := services(t)["http"]
	dir := t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal"), netboot.Undoers())
	if err != nil {
		t.Fatal(err)
	}
	sh, err := s.Serve(t.Context(), "lease-1", dir, j)
	if err := errors.Join(err, s.Close(), j.Close()); err != nil { // what a crash ends
		t.Fatal(err)
	}
	put(t, sh, "file", 1)
	if err := journaled(t, dir).Rollback(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(sh.Folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
	if _, err := s.Serve(t.Context(), "lease-1", dir, journaled(t, t.TempDir())); err == nil {
		t.Error("a service that has ended serves")
	}
}

// TestAddress refuses to name an address that no target reaches.
func TestAddress(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	if h, err := netboot.ListenHTTP(t.Context(), netboot.Options{Listen: ":0", Logger: log}); err == nil {
		_ = h.Close()
		t.Error("a service without the host's name")
	}
	h, err := netboot.ListenHTTP(t.Context(), netboot.Options{Listen: ":0", Host: "10.0.2.2", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	if sh, _ := share(t, h, "lease-1"); sh.Address.Hostname() != "10.0.2.2" {
		t.Errorf("the address is %s", sh.Address)
	}
}

// TestReadOnly has a client write, and ask in ways that HTTP has for other things.
func TestReadOnly(t *testing.T) {
	sh, _ := share(t, services(t)["http"], "lease-1")
	want := put(t, sh, "file", 1000)
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch} {
		to := sh.Address.JoinPath("file").String()
		req, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", method, res.Status)
		}
	}
	if got, err := get(t, sh.Address.JoinPath("file")); err != nil || got != want {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestBusy has a target ask for more at a time than one lease may: another lease's are answered all the same.
func TestBusy(t *testing.T) {
	for name, s := range services(t) {
		t.Run(name, func(t *testing.T) {
			busy, _ := share(t, s, "lease-1")
			other, _ := share(t, s, "lease-2")
			put(t, busy, "large", 64<<20)
			want := put(t, other, "file", 5000)
			for range 16 {
				c := begin(t, busy.Address.JoinPath("large"))
				defer func() { _ = c.Close() }()
			}
			if got, err := get(t, other.Address.JoinPath("file")); err != nil || got != want {
				t.Errorf("another's: %d bytes, %v", len(got), err)
			}
			if name == "http" { // by TFTP there is no answer: the client asks again
				if _, err := get(t, busy.Address.JoinPath("large")); err == nil || !strings.Contains(err.Error(), "503") {
					t.Errorf("the 17th: %v", err)
				}
			}
		})
	}
}
