package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog/symbol"
	"github.com/gantry-ci/gantry/runner/boot"
	"github.com/gantry-ci/gantry/runner/deploy"
	"github.com/gantry-ci/gantry/runner/journal"
)

// Limits of the symbols of a run. They are fetched only when there is a stack to decode.
const (
	maxSymbols     = 1 << 30         // bytes of a vmlinux, unpacked: distributions' have 0.4 to 0.9 GB
	symbolsReserve = 2 << 30         // bytes of the disk that stay free beside it, for other runs
	symbolsTimeout = 5 * time.Minute // to fetch and read it: the target is held meanwhile
	symbolsDir     = "symbols"
)

// stackRE matches a frame of a stack that is not decoded.
var stackRE = regexp.MustCompile(`\+0x[0-9a-f]+/0x[0-9a-f]+`)

// symbols decode the stacks of a run at its end, so that those of crashes before the login are decoded too, and a run
// without a crash fetches nothing.
type symbols struct {
	o     Options
	rec   *record
	given *symbol.Image // the operator's; nil for none
}

// newSymbols opens the file that the operator gives. An address that the job may not ask for is refused at its line.
func newSymbols(o Options, rec *record) (*symbols, error) {
	s := &symbols{o: o, rec: rec}
	switch {
	case o.Symbols != "":
		i, err := symbol.Open(o.Symbols)
		s.given = i
		return s, results.Blame(results.ClassJob, err) // the file is the operator's
	case o.Job.Symbols != nil:
		if err := o.Policy.Fetch().Check(o.Job.Symbols.URL); err != nil {
			return s, results.Failf(results.ClassJob, "line %d: metadata.gantry.symbols: %w", o.Job.Symbols.At("url").Line, err)
		}
	}
	return s, nil
}

// wantSymbols reports whether stacks are to be decoded.
func (o Options) wantSymbols() bool { return o.Symbols != "" || o.Job.Symbols != nil }

// decode reports findings again with files and lines, where that is possible. Where it is not, a warning says why; the
// verdict stays.
func (s *symbols) decode(ctx context.Context, jr *journal.Journal, kernels *boot.Kernels) {
	if !s.o.wantSymbols() || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, symbolsTimeout, fmt.Errorf("no symbols within %s", symbolsTimeout))
	defer cancel()
	image := s.given
	for _, f := range s.rec.findings() {
		if !stackRE.MatchString(f.Text) {
			continue
		}
		console, _ := results.ConsoleOf(f.File)
		ids, err := builds(f, kernels.At(console, f.Line))
		if err == nil && image == nil {
			if image, err = s.fetch(ctx, jr); err != nil {
				s.logf("warning", "stacks are not decoded: %v", err)
				return
			}
			defer s.release(image)
		}
		if err == nil {
			err = s.report(f, image, ids)
		}
		if err != nil {
			s.logf("warning", "the stack of %s:%d is not decoded: %v", f.LogName(), f.Line, err)
		}
	}
}

// report decodes a finding's stack with an image of one of the builds, and reports the finding again if that has
// changed its text.
func (s *symbols) report(f results.Finding, image *symbol.Image, builds []string) error {
	if err := check(image, builds); err != nil {
		return err
	}
	text, err := image.Decode(f.Text)
	if err == nil && text != f.Text {
		f.Text, f.Decoded = text, true
		s.rec.emit(results.Event{Finding: &f})
	}
	return err
}

// builds are the build ids that the kernel of a finding may have: the one in the finding itself, else the one that the
// running kernel printed, else those in the file it was booted from.
func builds(f results.Finding, k boot.Kernel) ([]string, error) {
	printed := symbol.PrintedBuildID(f.Text)
	switch {
	case printed != "":
		return []string{printed}, nil
	case k.BuildID != "":
		return []string{k.BuildID}, nil
	case k.Image != nil:
		return symbol.KernelBuildIDs(k.Image)
	}
	return nil, errors.New("the kernel's build id is unknown")
}

// check returns an error unless the image is of one of the builds.
func check(image *symbol.Image, ids []string) error {
	if slices.ContainsFunc(ids, func(id string) bool { return image.Check(id) == nil }) {
		return nil
	}
	return image.Check(strings.Join(ids, " "))
}

func (s *symbols) release(i *symbol.Image) {
	if err := i.Close(); err != nil {
		s.logf("warning", "%v", err)
	}
}

// fetch fetches the job's symbols. The journal removes them.
func (s *symbols) fetch(ctx context.Context, jr *journal.Journal) (*symbol.Image, error) {
	dir := filepath.Join(s.o.Dir, symbolsDir)
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) { // what is removed at the end is nobody else's
		return nil, errors.Join(err, fmt.Errorf("make the folder %s: it is there already", dir))
	}
	if err := errors.Join(jr.Before(deploy.UndoRemove, dir), os.Mkdir(dir, 0o700)); err != nil {
		return nil, err
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return nil, fmt.Errorf("find the free space of the disk: %w", err)
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < maxSymbols+symbolsReserve {
		return nil, fmt.Errorf(
			"the runner's disk has %d MB free; symbols are fetched where %d MB are", free>>20, (maxSymbols+symbolsReserve)>>20,
		)
	}
	want := s.o.Job.Symbols
	begun, fetcher := time.Now(), fetch.Fetcher{Policy: s.o.Policy.Fetch()}
	res, err := fetcher.To(ctx, fetch.Request{
		URL: want.URL, Compression: want.Compression, Checksums: fetch.Checksums{SHA256: want.SHA256Sum}, Limit: maxSymbols,
	}, filepath.Join(dir, "vmlinux"))
	if err != nil {
		return nil, err
	}
	image, err := symbol.Open(res.Path)
	if err != nil { // the runner's path is not for the job's author
		return nil, errors.New(strings.ReplaceAll(err.Error(), res.Path, "vmlinux"))
	}
	s.logf(
		"info", "symbols: %s, %d bytes, sha256 %s, build id %s, after %s", fetch.Redact(want.URL), res.Size, res.SHA256,
		image.BuildID(), time.Since(begun).Round(time.Millisecond),
	)
	return image, nil
}

func (s *symbols) logf(level, format string, a ...any) {
	s.rec.emit(results.Event{Log: &results.Log{Level: level, Message: fmt.Sprintf(format, a...)}})
}

// close closes the operator's file.
func (s *symbols) close() error {
	if s.given == nil {
		return nil
	}
	return s.given.Close()
}
