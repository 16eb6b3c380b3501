// Package deploy executes deploy methods: one file each. What they share, fetching files and putting LAVA's overlay
// into them, is here.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/plan"
)

// Methods is the table of what gantry executes.
func Methods() []plan.Method {
	return []plan.Method{plan.For(tmpfs)}
}

// downloadAttempts is LAVA's: a busy file server answers the second or the third time.
const downloadAttempts = 3

// download adds the steps that fetch an image into the run's folder, and returns where it will be.
func download(b *plan.Builder, name string, img *jobs.Image) *flow.File {
	policy := b.Policy.Fetch()
	check(b, img, policy)
	if !filepath.IsLocal(name) || filepath.Base(name) != name {
		b.ErrorAt(img.Line, "image %q: the name is not that of a file", name)
	}
	file := &flow.File{}
	b.Group("download-retry", downloadAttempts, func(b *plan.Builder) {
		b.Step(scheme(img.URL)+"-download", results.ClassJob, func(ctx context.Context, r *plan.Run) error {
			f := fetch.Fetcher{Policy: policy}
			res, err := f.To(ctx, request(img), filepath.Join(r.Dir, b.Folder(imagesDir), name))
			if err != nil {
				return blame(ctx, err)
			}
			file.Path = res.Path
			r.Logf("info", "%s: %s, %d bytes, sha256 %s", name, fetch.Redact(img.URL), res.Size, res.SHA256)
			return nil
		})
	})
	return file
}

// imagesDir is the folder of deployed files in the run's folder.
const imagesDir = "images"

// folder adds the step that makes the folder of deployed files. It is taken back at the end of the run.
func folder(b *plan.Builder) {
	b.Step("deploy-folder", results.ClassInfrastructure, func(_ context.Context, r *plan.Run) error {
		// Guests run as another user, who must pass through.
		return makeFolder(r, b.Folder(imagesDir), 0o711)
	})
}

// makeFolder makes a folder in the run's, and the one above it where it is missing; what it made is taken back at the
// end of the run. The one above is that of all deploys: when a later one is tried again, the earlier one's stay.
func makeFolder(r *plan.Run, name string, perm os.FileMode) error {
	dir := filepath.Join(r.Dir, name)
	if _, err := os.Stat(filepath.Dir(dir)); errors.Is(err, os.ErrNotExist) {
		if err := mkdir(r, filepath.Dir(dir), perm); err != nil {
			return err
		}
	}
	return mkdir(r, dir, perm)
}

// mkdir makes a folder that must not be there: what is removed at the end is nobody else's.
func mkdir(r *plan.Run, dir string, perm os.FileMode) error {
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("make the folder %s: it is there already", dir))
	}
	if err := r.Journal.Before(UndoRemove, dir); err != nil {
		return err
	}
	return os.Mkdir(dir, perm)
}

// check refuses, while the plan is made, what no attempt would change.
func check(b *plan.Builder, img *jobs.Image, policy fetch.Policy) {
	if err := policy.Check(img.URL); err != nil {
		b.ErrorAt(img.At("url").Line, "url: %w", err)
	}
	switch img.Compression {
	case "", "gz", "xz", "zstd", "bz2":
	default:
		b.ErrorAt(img.At("compression").Line, "compression %q is valid, but gantry does not execute it yet", img.Compression)
	}
	if img.Archive != "" {
		b.ErrorAt(img.At("archive").Line, "archive %q is valid, but gantry does not execute it yet", img.Archive)
	}
	if len(img.Overlays) > 0 {
		b.ErrorAt(img.At("overlays").Line, "overlays other than lava are valid, but gantry does not execute them yet")
	}
}

func request(img *jobs.Image) fetch.Request {
	return fetch.Request{
		URL: img.URL, Headers: img.Headers, Compression: img.Compression,
		Checksums: fetch.Checksums{MD5: img.MD5Sum, SHA256: img.SHA256Sum, SHA512: img.SHA512Sum},
	}
}

// blame classes an error of a fetch: failures of the network and the disk are the lab's. If ctx has ended, its cause is
// returned, which the plan classes.
func blame(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e := (*fetch.Error)(nil); errors.As(err, &e) && (e.Fault == fetch.Disk || e.Fault == fetch.Transport) {
		return results.Blame(results.ClassInfrastructure, err)
	}
	return err
}

// scheme is the first half of what LAVA calls the download action: file-download, http-download.
func scheme(url string) string {
	if strings.HasPrefix(url, "file:") {
		return "file"
	}
	return "http"
}
