package jobs

import (
	"regexp"

	"github.com/gantry-ci/gantry/internal/schema"
)

// symbolsPath is where a job names its symbols: LAVA lets anything stand in metadata.
const symbolsPath = "metadata.gantry.symbols"

var sha256RE = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

// symbolsObject is the image of symbols, a vmlinux, in full.
type symbolsObject struct{ *Image }

func (o symbolsObject) Fields(f *schema.Fields) {
	f.Place(&o.Position)
	f.Places(&o.Places)
	f.Required("url", schema.Some(&o.URL), "Where the vmlinux is: file, http or https.")
	f.Optional("compression", schema.OneOf(&o.Compression, "bz2", "gz", "xz", "zstd"), "How it is compressed.")
	f.Optional("sha256sum", schema.Matching(&o.SHA256Sum, sha256RE, "64 hex digits"), "Checksum of the file as fetched.")
}

// readSymbols reads the job's metadata.gantry.symbols, a URL or url, compression and sha256sum:
//
//	metadata: {gantry: {symbols: {url: "https://…/vmlinux.zst", compression: zstd}}}
func (j *Job) readSymbols(mode schema.Mode, r *schema.Report) {
	gantry := j.Metadata["gantry"]
	if gantry == nil || gantry.Kind != schema.Map {
		return
	}
	for _, e := range gantry.Entries {
		if e.Key.Text != "symbols" || e.Value.Kind == schema.Null {
			continue
		}
		i := &Image{Position: e.Key.Position}
		t := schema.Either("a URL, or url, compression and sha256sum", schema.Some(&i.URL), schema.Sub(symbolsObject{i}))
		schema.Read(e.Value, symbolsPath, t, mode, r)
		i.Position = e.Key.Position
		j.Symbols = i
	}
}
