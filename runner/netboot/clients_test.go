package netboot_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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
