package symbol_test

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/results/kernlog/symbol"
)

// source has an inlined function, two functions of one name in two files, and lines to be found again.
const source = `int sink;
static inline __attribute__((always_inline)) void frob(int n)
{
	sink = n * 3;
	__builtin_trap();
}

static __attribute__((noinline)) int twin(int n) { return n + sink; }

int frob_open(int n)
{
	sink++;
	frob(n);
	return n;
}
int main(int argc, char **argv) { return argc > 1 ? frob_open(argc) : twin(argc); }
`

const other = `static __attribute__((noinline)) int twin(int n)
{
	volatile int i, s = 0;
	for (i = 0; i < n; i++)
		s += i * i ^ n;
	for (i = 0; i < n; i++)
		s -= i * 7 ^ n;
	return s;
}
int far_twin(int n) { return twin(n) * twin(n + 1); }
`

// build compiles the sources as a kernel is: with debug information and a build id.
func build(t *testing.T, flags ...string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skipf("no compiler to make an image with: %v", err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"frob.c": source, "other.c": other} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"-g", "-O1", "-fno-pie", "-no-pie", "-o", "image", "frob.c", "other.c"}, flags...)
	cmd := exec.CommandContext(t.Context(), gcc, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	return filepath.Join(dir, "image")
}

const id = "0123456789abcdef0123456789abcdef01234567"

func open(t *testing.T, path string) *symbol.Image {
	t.Helper()
	i, err := symbol.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

// trap is the offset of the trapping instruction in frob_open, and its size.
func trap(t *testing.T, path string) (offset, size uint64) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name != "frob_open" {
			continue
		}
		code := make([]byte, s.Size)
		text := f.Sections[s.Section]
		if _, err := text.ReadAt(code, int64(s.Value-text.Addr)); err != nil {
			t.Fatal(err)
		}
		n := strings.Index(string(code), "\x0f\x0b") // ud2
		if n < 0 {
			t.Skip("the compiler's trap is not x86's")
		}
		return uint64(n), s.Size
	}
	t.Fatal("no frob_open")
	return 0, 0
}

func TestDecode(t *testing.T) {
	for _, version := range []string{"-gdwarf-4", "-gdwarf-5"} {
		t.Run(version, func(t *testing.T) {
			path := build(t, version, "-Wl,--build-id=0x"+id)
			i := open(t, path)
			offset, size := trap(t, path)
			text := fmt.Sprintf("RIP: 0010:frob_open+0x%x/0x%x\nCall Trace:\n frob_open+0x%x/0x%x\n unknown+0x1/0x2\n"+
				" other+0x1/0x2 [frob]\n",
				offset, size, offset+2, size)
			got, err := i.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("RIP: 0010:frob frob.c:5 [inline]\nRIP: 0010:frob_open+0x%x/0x%x frob.c:13\nCall Trace:\n"+
				" frob frob.c:5 [inline]\n frob_open+0x%x/0x%x frob.c:13\n unknown+0x1/0x2\n"+
				" other+0x1/0x2 [frob]\n", offset, size, offset+2, size)
			if got != want {
				t.Errorf("decoded\n%swant\n%s", got, want)
			}
		})
	}
}

// TestTwins checks that two functions of one name are told apart by their size, and a wrong size is refused.
func TestTwins(t *testing.T) {
	path := build(t, "-Wl,--build-id=0x"+id)
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	i := open(t, path)
	files := map[string]bool{}
	for _, s := range symbols {
		if s.Name != "twin" {
			continue
		}
		where, err := i.Frame("twin", 1, s.Size, true)
		if err != nil {
			t.Fatal(err)
		}
		files[where[len(where)-1].File] = true
	}
	if !files["frob.c"] || !files["other.c"] {
		t.Errorf("the twins were found in %v", files)
	}
	if where, err := i.Frame("frob_open", 1, 4096, true); err == nil {
		t.Errorf("a function of another size was found at %v", where)
	}
}

func TestBuildID(t *testing.T) {
	i := open(t, build(t, "-Wl,--build-id=0x"+id))
	if i.BuildID() != id {
		t.Errorf("build id %q", i.BuildID())
	}
	if err := i.Check(id); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", strings.Repeat("0", 40)} {
		if err := i.Check(wrong); !errors.Is(err, symbol.ErrOtherBuild) {
			t.Errorf("build id %q: %v", wrong, err)
		}
	}
}

func TestUnusable(t *testing.T) {
	if _, err := symbol.Open(build(t, "-Wl,--build-id=none")); err == nil ||
		!strings.Contains(err.Error(), "no build id") {
		t.Errorf("an image without build id: %v", err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("not an image"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, t.TempDir(), text + ".absent"} {
		if _, err := symbol.Open(path); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
}

// TestDamaged cuts and flips an image: whatever happens, it is an error or a decoding, never a panic.
func TestDamaged(t *testing.T) {
	image, err := os.ReadFile(build(t, "-Wl,--build-id=0x"+id))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged")
	for n := range 200 {
		bad := append([]byte(nil), image...)
		for k := range 1 + n%7 {
			bad[(n*7919+k*104729)%len(bad)] ^= byte(1 + n + k)
		}
		if n%10 == 0 {
			bad = bad[:len(bad)*n/200]
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		i, err := symbol.Open(path)
		if err != nil {
			continue
		}
		_, _ = i.Decode("frob_open+0x8/0x20\nmain+0x1/0x10\nfar_twin+0x9/0x30\n")
		_ = i.Close()
	}
}

func TestNotes(t *testing.T) {
	note := func(order binary.AppendByteOrder, kind uint32, owner, body string) []byte {
		b := order.AppendUint32(nil, uint32(len(owner)+1))
		b = order.AppendUint32(b, uint32(len(body)))
		b = order.AppendUint32(b, kind)
		b = append(b, owner+"\x00"...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		b = append(b, body...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}
	little := append(note(binary.LittleEndian, 6, "Xen", "xyz"), note(binary.LittleEndian, 3, "GNU", "\xab\xcd\xef")...)
	if got, err := symbol.NotesBuildID(little, binary.LittleEndian); err != nil || got != "abcdef" {
		t.Errorf("little endian: %q, %v", got, err)
	}
	if got, err := symbol.NotesBuildID(note(binary.BigEndian, 3, "GNU", "\x01\x02"), binary.BigEndian); err != nil ||
		got != "0102" {
		t.Errorf("big endian: %q, %v", got, err)
	}
	for n := range len(little) {
		_, _ = symbol.NotesBuildID(little[:n], binary.LittleEndian)
	}
	if got, err := symbol.NotesBuildID([]byte(strings.Repeat("\xff", 64)), binary.LittleEndian); err == nil {
		t.Errorf("nonsense: %q", got)
	}
}

func TestPrintedBuildID(t *testing.T) {
	line := "CPU: 0 UID: 0 PID: 2148 Comm: cat Not tainted 6.12.23-gf9fbc66f8444 #0 "
	if got := symbol.PrintedBuildID("x\n" + line + id + "\ny\n"); got != id {
		t.Errorf("printed: %q", got)
	}
	if got := symbol.PrintedBuildID(line + "\n"); got != "" {
		t.Errorf("not printed: %q", got)
	}
}
