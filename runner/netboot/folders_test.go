package netboot_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
)

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
