package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func holds(t *testing.T, dir, want string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "f"))
	if err != nil || string(b) != want {
		t.Errorf("%q, %v, want %q", b, err, want)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("%v, %v: want one file", names, err)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, s := range []string{"one, which is longer", "two", ""} {
		if err := WriteBytes(path, 0o600, []byte(s)); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, s)
	}
	if st, err := os.Stat(path); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// TestWriteFails has a file stay as it was when the new one cannot be made.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteBytes(path, 0o600, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := Write(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, "ne")
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	holds(t, dir, "old")
	if err := WriteBytes(filepath.Join(dir, "none", "f"), 0o600, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := WriteBytes(dir, 0o600, nil); err == nil {
		t.Error("a folder was replaced")
	}
}

// TestWriteAfterCrash has what a killed writer left behind be in nobody's way.
func TestWriteAfterCrash(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.new"), []byte("half of a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(filepath.Join(dir, "f"), 0o600, []byte("new")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "new")
}
