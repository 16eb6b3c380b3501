package symbol_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gantry-ci/gantry/results/kernlog/symbol"
	"github.com/gantry-ci/gantry/test/guest"
)

// TestKernelBuildIDs finds the build id of an image in what is made of it, as kernels are packed.
func TestKernelBuildIDs(t *testing.T) {
	path := build(t, "-Wl,--build-id=0x"+id)
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, tool := range map[string][]string{
		"plain": nil, "gzip": {"gzip", "-9"}, "bzip2": {"bzip2"}, "zstd": {"zstd", "-19", "--long=27"},
		"lz4": {"lz4", "-l", "-9"},
	} {
		t.Run(name, func(t *testing.T) {
			packed := image
			if tool != nil {
				if _, err := exec.LookPath(tool[0]); err != nil {
					t.Skip("no such tool here:", err)
				}
				cmd := exec.CommandContext(t.Context(), tool[0], append(tool[1:], "-c")...)
				cmd.Stdin = bytes.NewReader(image)
				if packed, err = cmd.Output(); err != nil {
					t.Fatal(err)
				}
			}
			for _, tail := range []string{"", "\x00\x10\x20\x00"} { // the unpacked size, as the kernel's build appends it
				if ids, err := symbol.KernelBuildIDs(bytes.NewReader(append(slices.Clone(packed), tail...))); err != nil ||
					!slices.Equal(ids, []string{id}) {
					t.Errorf("%v, %v", ids, err)
				}
			}
			// Damaged, it is an error, or other ids, or none; never a panic, and never without end.
			for n := range 50 {
				bad := slices.Clone(packed)
				for k := range 1 + n%5 {
					bad[(n*7919+k*104729)%len(bad)] ^= byte(1 + n)
				}
				_, _ = symbol.KernelBuildIDs(bytes.NewReader(bad[:len(bad)-n]))
			}
		})
	}
}

// TestKernelIncompressible finds the build id behind blocks that lz4 makes larger: those of a built-in, packed
// initramfs.
func TestKernelIncompressible(t *testing.T) {
	note, err := hex.DecodeString("0400000014000000" + "03000000" + hex.EncodeToString([]byte("GNU\x00")) + id)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 20<<20)
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "lz4", "-l", "-c")
	if cmd.Err != nil {
		t.Skip("no such tool here:", cmd.Err)
	}
	cmd.Stdin = bytes.NewReader(append(noise, note...))
	packed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := symbol.KernelBuildIDs(bytes.NewReader(packed)); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("%v, %v", ids, err)
	}
}

// TestRealKernel finds the build id of Debian's kernel: a bzImage.
func TestRealKernel(t *testing.T) {
	dir, err := guest.Dir()
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := os.Open(filepath.Join(dir, "vmlinuz"))
	if err != nil {
		t.Skip("no kernel here (make setup brings one):", err)
	}
	defer kernel.Close()
	start := time.Now()
	ids, err := symbol.KernelBuildIDs(kernel)
	if err != nil || len(ids) == 0 {
		t.Fatal(ids, err)
	}
	t.Logf("%s after %s", strings.Join(ids, " "), time.Since(start))
	for _, s := range ids {
		if b, err := hex.DecodeString(s); err != nil || len(b) != 20 {
			t.Errorf("%q is no build id: %v", s, err)
		}
	}
}

func TestNoKernel(t *testing.T) {
	for _, text := range []string{
		"", "text", "\xfd7zXZ\x00xxxxxx", "\x1f\x8b", "\x02\x21\x4c\x18",
		"\x02\x21\x4c\x18\x05\x00\x00\x00\xff\xff\xff\xff\xff",
	} {
		if ids, err := symbol.KernelBuildIDs(strings.NewReader(text)); err == nil {
			t.Errorf("%q: %v", text, ids)
		}
	}
}
