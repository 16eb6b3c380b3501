package jobs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

// BenchmarkCorpus reads every real job once.
func BenchmarkCorpus(b *testing.B) {
	var files [][]byte
	for name := range verdicts(b, "verdicts.json") {
		src, err := os.ReadFile(filepath.Join(corpus, name))
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, src)
	}
	for b.Loop() {
		for _, src := range files {
			jobs.ParseJob(src, schema.Strict)
		}
	}
}

// BenchmarkLargest reads a job of a mebibyte.
func BenchmarkLargest(b *testing.B) {
	src := []byte(smoke)
	step := []byte(
		"- test: {definitions: [{from: git, repository: 'https://example.com/a.git', path: a.yaml, name: a}]}\n",
	)
	src = append(src, bytes.Repeat(step, (schema.MaxSize-len(src))/len(step))...)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, r := jobs.ParseJob(src, schema.Strict); !r.Valid() {
			b.Fatal(r.Err())
		}
	}
}
