package fetch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/internal/fetch"
)

const text = "a kernel, as it were\n"

func compressed(t *testing.T, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gz":
		w = gzip.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	default:
		return []byte(text)
	}
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// greedyXZ is the begin of an xz stream whose header asks for a dictionary of 4 GiB (section 5.3.1 of the format: 40).
func greedyXZ() []byte {
	stream, block := []byte("\xfd7zXZ\x00"), []byte{2, 0, 0x21, 1, 40, 0, 0, 0}
	flags := []byte{0, 1}
	stream = binary.LittleEndian.AppendUint32(append(stream, flags...), crc32.ChecksumIEEE(flags))
	return append(stream, binary.LittleEndian.AppendUint32(block, crc32.ChecksumIEEE(block))...)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func TestTo(t *testing.T) {
	root := t.TempDir()
	secret := filepath.Join(t.TempDir(), "shadow")
	write(t, secret, []byte("root:x"))
	for _, kind := range []string{"", "gz", "xz", "zstd"} {
		write(t, filepath.Join(root, "kernel"+kind), compressed(t, kind))
	}
	if err := os.Symlink(secret, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "greedy"), greedyXZ())
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/kernel", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	mux.HandleFunc("/sick", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(text))
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	away := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	defer away.Close()

	served := fetch.Policy{FileRoots: []string{root}}
	friendly := fetch.Policy{FileRoots: []string{root}, URLs: []string{web.URL + "/", away.URL + "/"}}
	for _, tt := range []struct {
		name   string
		policy fetch.Policy
		req    fetch.Request
		fault  fetch.Fault
		err    string // "" for success
	}{
		{"plain", served, fetch.Request{URL: "file://" + root + "/kernel"}, 0, ""},
		{"as if the root were /", served, fetch.Request{URL: "file:///kernel"}, 0, ""},
		{"gz", served, fetch.Request{URL: "file:///kernelgz", Compression: "gz"}, 0, ""},
		{"xz", served, fetch.Request{URL: "file:///kernelxz", Compression: "xz"}, 0, ""},
		{
			"zstd", served,
			fetch.Request{
				URL: "file:///kernelzstd", Compression: "zstd", Checksums: fetch.Checksums{SHA256: sum(compressed(t, "zstd"))},
			},
			0, "",
		},
		{"http", friendly, fetch.Request{URL: web.URL + "/kernel"}, 0, ""},
		{"operator", fetch.Policy{Host: true}, fetch.Request{URL: web.URL + "/kernel"}, 0, ""},

		{
			"wrong checksum", served,
			fetch.Request{URL: "file:///kernel", Checksums: fetch.Checksums{MD5: "00"}},
			fetch.Artifact, "expected 00",
		},
		{"not gz", served, fetch.Request{URL: "file:///kernel", Compression: "gz"}, fetch.Artifact, "decompress gz"},
		{
			"a dictionary of 4 GiB", served,
			fetch.Request{URL: "file:///greedy", Compression: "xz"},
			fetch.Artifact,
			"dictionary size exceeds max",
		},
		{"missing", served, fetch.Request{URL: "file:///nothing"}, fetch.Refused, "not below one of the runner's file_roots"},
		{
			"outside", served,
			fetch.Request{URL: "file:///etc/shadow"},
			fetch.Refused,
			"not below one of the runner's file_roots",
		},
		{"dots", served, fetch.Request{URL: "file://" + root + "/../../etc/shadow"}, fetch.Refused, "not below"},
		{"link out of the root", served, fetch.Request{URL: "file:///link"}, fetch.Artifact, "escapes"},
		{"a folder", served, fetch.Request{URL: "file://" + root}, fetch.Artifact, "is not a file"},
		{"no roots", fetch.Policy{}, fetch.Request{URL: "file:///etc/shadow"}, fetch.Refused, "file_roots"},
		{"loopback", served, fetch.Request{URL: web.URL + "/kernel"}, fetch.Refused, "loopback"},
		{
			"a name of loopback", served,
			fetch.Request{URL: strings.Replace(web.URL, "127.0.0.1", "localhost", 1)},
			fetch.Refused, "loopback",
		},
		{"metadata", served, fetch.Request{URL: "http://169.254.169.254/"}, fetch.Refused, "link-local"},
		{"mapped", served, fetch.Request{URL: "http://[::ffff:169.254.169.254]/"}, fetch.Refused, "link-local"},
		{"private", served, fetch.Request{URL: "http://10.1.2.3/"}, fetch.Refused, "private"},
		{"nat64", served, fetch.Request{URL: "http://[64:ff9b::7f00:1]/"}, fetch.Refused, "not a public"},
		{"redirected to metadata", friendly, fetch.Request{URL: away.URL + "/"}, fetch.Refused, "link-local"},
		{"404", friendly, fetch.Request{URL: web.URL + "/nothing"}, fetch.Artifact, "404"},
		{"502", friendly, fetch.Request{URL: web.URL + "/sick"}, fetch.Transport, "502"},
		{"cut short", friendly, fetch.Request{URL: web.URL + "/cut"}, fetch.Transport, "unexpected EOF"},
		{
			"beside the prefix",
			fetch.Policy{URLs: []string{web.URL + "/ker"}},
			fetch.Request{URL: web.URL + "/kernel"},
			fetch.Refused, "loopback",
		},
		{
			"out of the prefix",
			fetch.Policy{URLs: []string{web.URL + "/pub/"}},
			fetch.Request{URL: web.URL + "/pub/../kernel"},
			fetch.Refused, "loopback",
		},
		{
			"out of the prefix, encoded",
			fetch.Policy{URLs: []string{web.URL + "/pub/"}},
			fetch.Request{URL: web.URL + "/pub/%2e%2e/kernel"},
			fetch.Refused, "loopback",
		},
		{"a pipe", fetch.Policy{Host: true}, fetch.Request{URL: "file://" + pipe}, fetch.Artifact, "is not a file"},
		{"scheme", served, fetch.Request{URL: "gopher://x/"}, fetch.Artifact, `scheme is "gopher"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			res, err := (&fetch.Fetcher{Policy: tt.policy}).To(t.Context(), tt.req, filepath.Join(dir, "out"))
			if tt.err != "" {
				var e *fetch.Error
				if !errors.As(err, &e) || e.Fault != tt.fault || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want the fault %s and %q", err, tt.fault, tt.err)
				}
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				return
			}
			got, rerr := os.ReadFile(res.Path)
			if err != nil || rerr != nil || string(got) != text || res.Size != int64(len(text)) {
				t.Errorf("got %q, %v, %v", got, err, rerr)
			}
		})
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := fillable(t, dir); err != nil {
		t.Skip("cannot mount a small tmpfs here:", err)
	}
	src := filepath.Join(t.TempDir(), "big")
	write(t, src, make([]byte, 2<<20))
	_, err := (&fetch.Fetcher{Policy: fetch.Policy{Host: true}}).To(t.Context(), fetch.Request{
		URL: "file://" + src,
	}, filepath.Join(dir, "out"))
	var e *fetch.Error
	if !errors.As(err, &e) || e.Fault != fetch.Disk || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a full disk gives %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	for _, url := range []string{
		strings.Replace(web.URL, "://", "://me:secret@", 1) + "/x?sig=secret", "http://me:secret@10.0.0.1/x?sig=secret",
		"gopher://me:secret@x/?secret",
		"http://me:secret@127.0.0.1:1/?secret", "http://me:secret@[bad/?secret",
	} {
		for _, policy := range []fetch.Policy{{}, {Host: true}} {
			_, err := (&fetch.Fetcher{Policy: policy}).To(t.Context(), fetch.Request{
				URL: url,
			}, filepath.Join(t.TempDir(), "out"))
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", url, err)
			}
			if err := policy.Check(url); err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", url, err)
			}
		}
	}
}
