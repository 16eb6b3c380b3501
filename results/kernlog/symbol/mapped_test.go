package symbol_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestMemory opens an image with 64 MB of debug information: it is not copied. GANTRY_VMLINUX names another to measure.
func TestMemory(t *testing.T) {
	const size = 64 << 20
	path := os.Getenv("GANTRY_VMLINUX")
	if path == "" {
		big := filepath.Join(t.TempDir(), "big.s")
		if err := os.WriteFile(big, []byte(".section .debug_big,\"\",@progbits\n.skip 67108864, 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		path = build(t, big, "-Wl,--build-id=0x"+id)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	i := open(t, path)
	runtime.ReadMemStats(&after)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	took := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d MB, of which %d MB were allocated", st.Size()>>20, took>>20)
	if st.Size() < size || took > uint64(st.Size())/2 {
		t.Errorf("an image of %d bytes takes %d of memory", st.Size(), took)
	}
	runtime.KeepAlive(i)
}

// TestShortened has the file get shorter while it is open: decoding fails, and nothing else does.
func TestShortened(t *testing.T) {
	path := build(t, "-Wl,--build-id=0x"+id)
	i := open(t, path)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	text, err := i.Decode("frob_open+0x8/0x20\n")
	if text != "" && text != "frob_open+0x8/0x20\n" {
		t.Errorf("decoded: %q, %v", text, err)
	}
}
