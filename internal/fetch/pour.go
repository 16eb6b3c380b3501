package fetch

import (
	"bufio"
	"compress/bzip2"
	"context"
	"crypto/md5" //nolint:gosec // users give it; it proves no more than they want
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// copyBuffer is large enough that system calls do not count beside hashing.
const copyBuffer = 256 << 10

// pour copies src to dst, decompressed, and checks src against its checksums.
func pour(ctx context.Context, dst io.Writer, src io.Reader, req Request) (res Result, err error) {
	served := newSums(req.Checksums)
	// The tee gets the file as served, with trailing bytes that the decompressor does not read.
	in := &ended{ctx: ctx, r: src}
	raw := bufio.NewReaderSize(io.TeeReader(in, served), copyBuffer)
	plain, closeFn, err := decompress(raw, req.Compression)
	if err != nil {
		return res, err
	}
	defer closeFn()
	limit := int64(maxImage)
	if req.Limit > 0 {
		limit = req.Limit
	}
	out := &written{w: dst}
	res.Size, err = io.CopyBuffer(struct{ io.Writer }{out}, io.LimitReader(plain, limit+1), make([]byte, copyBuffer))
	switch {
	case out.err != nil:
		return res, fault(Disk, "%w", out.err)
	case ctx.Err() != nil:
		return res, context.Cause(ctx)
	case in.err != nil:
		return res, fault(Transport, "%w", in.err)
	case err != nil && req.Compression != "":
		return res, fault(Artifact, "decompress %s: %w", req.Compression, err)
	case err != nil:
		return res, fault(Transport, "%w", err)
	case res.Size > limit:
		return res, fault(Artifact, "larger than %d bytes", limit)
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return res, fault(Transport, "%w", err)
	}
	res.SHA256 = hex.EncodeToString(served.sha256.Sum(nil))
	return res, served.check(req.Checksums)
}

// decompress returns the plain bytes of r, and what to call when they are read.
func decompress(r io.Reader, kind string) (io.Reader, func(), error) {
	none := func() {}
	switch kind {
	case "", "none":
		return r, none, nil
	case "gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, fault(Artifact, "decompress gz: %w", err)
		}
		return z, none, nil
	case "bz2":
		return bzip2.NewReader(r), none, nil
	case "xz":
		z, err := xz.NewReader(r, maxDictionary)
		if err != nil {
			return nil, nil, fault(Artifact, "decompress xz: %w", err)
		}
		return z, none, nil
	case "zstd", "zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(maxWindow))
		if err != nil {
			return nil, nil, fault(Artifact, "decompress zstd: %w", err)
		}
		return z, z.Close, nil
	default:
		return nil, nil, fault(Artifact, "compression %q: expected gz, xz, zstd or bz2", kind)
	}
}

// What a stream's header may make the decoder allocate.
const (
	maxWindow     = 128<<20 + 1 // that of zstd --ultra --long=27, the most its own tool decodes unasked
	maxDictionary = 128 << 20   // twice that of xz -9
)

// ended reads until ctx ends, and remembers what broke the stream.
type ended struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	r   io.Reader
	err error
}

func (e *ended) Read(p []byte) (int, error) {
	if e.ctx.Err() != nil {
		return 0, context.Cause(e.ctx)
	}
	n, err := e.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	return n, err
}

// written keeps apart an error of the disk from one of the stream.
type written struct {
	w   io.Writer
	err error
}

func (w *written) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// sums computes the checksums that the request has, and always SHA-256.
type sums struct {
	sha256 hash.Hash
	others map[string]hash.Hash
}

func newSums(want Checksums) *sums {
	s := &sums{sha256: sha256.New(), others: map[string]hash.Hash{}}
	if want.MD5 != "" {
		s.others["md5sum"] = md5.New() //nolint:gosec // see the import
	}
	if want.SHA512 != "" {
		s.others["sha512sum"] = sha512.New()
	}
	return s
}

func (s *sums) Write(p []byte) (int, error) {
	_, _ = s.sha256.Write(p) // a hash never fails
	for _, h := range s.others {
		_, _ = h.Write(p)
	}
	return len(p), nil
}

func (s *sums) check(want Checksums) error {
	for _, c := range []struct {
		name, want string
		h          hash.Hash
	}{
		{"md5sum", want.MD5, s.others["md5sum"]},
		{"sha256sum", want.SHA256, s.sha256},
		{"sha512sum", want.SHA512, s.others["sha512sum"]},
	} {
		if c.want == "" {
			continue
		}
		if got := hex.EncodeToString(c.h.Sum(nil)); !strings.EqualFold(got, c.want) {
			return fault(Artifact, "%s is %s, expected %s", c.name, got, c.want)
		}
	}
	return nil
}

var _ fmt.Stringer = Fault(0)

func (f Fault) String() string {
	return [...]string{"artifact", "refused", "transport", "disk"}[f]
}
