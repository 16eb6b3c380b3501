package jobs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// TestSymbols reads what a job names its symbols by.
func TestSymbols(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	for metadata, want := range map[string]string{
		"{}":                     "none",
		"{gantry: x}":            "none",
		"{gantry: {job: smoke}}": "none",
		"{gantry: {symbols: }}":  "none",
		"{symbols: https://x/v}": "none",
		"{gantry: {job: a, symbols: https://x/v}}":                        "https://x/v   line 6",
		"{gantry: {symbols: {url: https://x/v.zst, compression: zstd}}}":  "https://x/v.zst zstd  line 6",
		"{gantry: {symbols: {url: https://x/v, sha256sum: " + sum + "}}}": "https://x/v  " + sum + " line 6",
		"{gantry: {symbols: ''}}":                                         "6:30: metadata.gantry.symbols: ",
		"{gantry: {symbols: [a]}}": "6:30: metadata.gantry.symbols: expected a " +
			"URL, or url, compression and sha256sum",
		"{gantry: {symbols: {compression: gz}}}": "metadata.gantry.symbols.url: the key \"url\" " +
			"is missing",
		"{gantry: {symbols: {url: x, compression: rar}}}": "metadata.gantry.symbols.compression: ",
		"{gantry: {symbols: {url: x, sha256sum: abc}}}": "metadata.gantry.symbols.sha256sum: expected " +
			"64 hex digits",
		"{gantry: {symbols: {url: x, sha265sum: " + sum +
			"}}}": `the key "sha265sum" is not known here; did you mean "sha256sum"?`,
	} {
		src := "job_name: x\nvisibility: public\ndevice_type: qemu\ntimeouts: {job: {minutes: 1}}\nactions: []\nmetadata: " +
			metadata + "\n"
		j, r := jobs.ParseJob([]byte(src), schema.Strict)
		got := "none"
		switch {
		case !r.Valid():
			got = r.Err().Error()
		case j.Symbols != nil:
			got = fmt.Sprintf(
				"%s %s %s line %d", j.Symbols.URL, j.Symbols.Compression, j.Symbols.SHA256Sum, j.Symbols.At("url").Line,
			)
		}
		if r.Valid() && got != want || !r.Valid() && !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", metadata, got, want)
		}
	}
}
