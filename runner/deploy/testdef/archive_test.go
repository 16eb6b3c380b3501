package testdef_test

import (
	"archive/tar"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/deploy/testdef"
)

type entry struct {
	name, text, link string
	kind             byte
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o755, Size: int64(len(e.text)), Linkname: e.link, Typeflag: e.kind}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestURL(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	for _, tt := range []struct {
		name  string
		body  []byte
		strip int
		files []string
		want  string // of the error
	}{
		{"an archive", archive(t, entry{name: "./ci/t.yaml", text: definition, kind: tar.TypeReg}), 0, []string{"ci"}, ""},
		{
			"leading folders",
			archive(t, entry{name: "top/", kind: tar.TypeDir}, entry{
				name: "top/ci/t.yaml", text: definition, kind: tar.TypeReg,
			}),
			1,
			[]string{"ci"},
			"",
		},
		{"a definition", []byte(definition), 0, []string{"ci"}, ""},
		{
			"a path out", archive(t, entry{name: "a/../../x", text: "x", kind: tar.TypeReg}), 0, nil, "leads out of the archive",
		},
		{
			"an absolute path", archive(t, entry{name: "/ci/t.yaml", text: definition, kind: tar.TypeReg}), 0,
			[]string{"ci"},
			"",
		},
		{
			"through a link",
			archive(t, entry{name: "l", link: filepath.Dir(outside), kind: tar.TypeSymlink}, entry{
				name: "l/outside", text: "x", kind: tar.TypeReg,
			}),
			0, nil, "path escapes",
		},
		{
			"over a link",
			archive(t, entry{name: "l", link: outside, kind: tar.TypeSymlink}, entry{
				name: "l", text: "x", kind: tar.TypeReg,
			}, entry{name: "ci/t.yaml", text: definition, kind: tar.TypeReg}),
			0,
			[]string{"ci", "l"},
			"",
		},
		{
			"a link to a file out", archive(t, entry{name: "l", link: "../../../../etc/passwd", kind: tar.TypeLink}), 0, nil,
			"path escapes",
		},
		{"a device", archive(t, entry{name: "d", kind: tar.TypeBlock}), 0, nil, "neither a file, a folder nor a link"},
		{
			"half an archive", archive(t, entry{name: "ci/t.yaml", text: definition, kind: tar.TypeReg})[:550], 0, nil,
			"unexpected EOF",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tt.body) }))
			defer s.Close()
			f := testdef.Fetcher{Policy: fetch.Policy{URLs: []string{s.URL}}}
			dir := filepath.Join(t.TempDir(), "d")
			_, err := f.Fetch(t.Context(), &testdef.Source{
				From: testdef.URL, URL: s.URL + "/a", StripComponents: tt.strip, Name: "ci/t.yaml",
			}, dir)
			if _, e := os.Stat(outside); e == nil {
				t.Error("a file outside was written")
			}
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || results.ClassOf(err) != results.ClassJob {
					t.Errorf("got %q %v, want %q", results.ClassOf(err), err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.files, list(t, dir)); d != "" {
				t.Error(d)
			}
			if _, err := testdef.Parse(dir, "ci/t.yaml"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	dir := t.TempDir()
	write(
		t, filepath.Join(dir, "bad.yaml"), "metadata:\n  format: Lava-Test Test Definition 1.0\nrun: {steps: ['true']}\n",
	)
	write(t, filepath.Join(dir, "large.yaml"), strings.Repeat("#", 2<<20))
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"bad.yaml": "test definition bad.yaml: ", "large.yaml": "larger than", "link.yaml": "escapes", "../x": "escapes",
		"none.yaml": "no such file", ".": "not a file",
	} {
		_, err := testdef.Parse(dir, path)
		if err == nil || !strings.Contains(err.Error(), want) || results.ClassOf(err) != results.ClassJob {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
