// Package fetch downloads the files that a job names: by file, http and https URLs, checked against their checksums and
// decompressed on the way to disk. Policy limits what the job of a stranger may fetch.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
)

// Fault says whose fault a failed fetch is.
type Fault int

// The faults.
const (
	Artifact  Fault = iota // the URL or what is there: a bad URL, 404, a wrong checksum, a broken archive
	Refused                // what policy does not allow
	Transport              // the network, or the server behind it
	Disk                   // the disk here
)

// Error is a failed fetch.
type Error struct {
	Fault Fault
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

func fault(f Fault, format string, a ...any) error { return &Error{f, fmt.Errorf(format, a...)} }

// Request is one file wanted.
type Request struct {
	URL         string
	Headers     map[string]string // of an http request
	Compression string            // gz, xz, zstd, bz2, or "" for none
	Checksums   Checksums         // of the file as it is served, before decompression
	Limit       int64             // the most bytes written, after decompression; 0 is 64 GiB
}

// Checksums are lower-case hex; an empty one is not checked.
type Checksums struct{ MD5, SHA256, SHA512 string }

// Result is what was fetched.
type Result struct {
	Path   string
	Size   int64  // as written
	SHA256 string // of the file as it was served
}

// maxImage is the largest file written, after decompression: a bomb ends here, not when the disk is full.
const maxImage = 64 << 30

// Fetcher fetches files. Its zero value is usable, and refuses everything local.
type Fetcher struct {
	Policy Policy
	Client *http.Client // nil for one that enforces Policy at each connection, redirects included
}

// To fetches req into the file at dst. After an error there is no such file.
func (f *Fetcher) To(ctx context.Context, req Request, dst string) (res Result, err error) {
	u, err := url.Parse(req.URL)
	if err != nil {
		return res, fault(Artifact, "fetch: the URL cannot be read")
	}
	src, err := f.open(ctx, u, req.Headers)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	// Another user may own the folder's files later; nobody but us needs to write them.
	tmp, err := os.CreateTemp(filepath.Dir(dst), ".fetch-*")
	if err != nil {
		return res, fault(Disk, "fetch %s: %w", Redact(u.String()), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if res, err = pour(ctx, tmp, src, req); err == nil {
		err = tmp.Chmod(0o644)
	}
	if e := tmp.Close(); err == nil && e != nil {
		err = fault(Disk, "%w", e)
	}
	if err != nil {
		return res, classify(fmt.Errorf("fetch %s: %w", Redact(u.String()), err))
	}
	res.Path = dst
	if err = os.Rename(tmp.Name(), dst); err != nil {
		return res, fault(Disk, "fetch %s: %w", Redact(u.String()), err)
	}
	return res, nil
}

// classify gives an error of the copy its fault: a full disk is the lab's, a broken stream the server's.
func classify(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return &Error{e.Fault, err}
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO) {
		return &Error{Disk, err}
	}
	return &Error{Transport, err}
}

func (f *Fetcher) open(ctx context.Context, u *url.URL, headers map[string]string) (io.ReadCloser, error) {
	switch u.Scheme {
	case "file":
		return f.Policy.openFile(u)
	case "http", "https":
		return f.get(ctx, u, headers)
	default:
		return nil, fault(Artifact, "fetch %s: the scheme is %q, expected file, http or https", Redact(u.String()), u.Scheme)
	}
}

// get requests a URL. What the job's author can repair (4xx) is the artifact's fault, what the server has to is not.
func (f *Fetcher) get(ctx context.Context, u *url.URL, headers map[string]string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault(Artifact, "fetch %s: %w", Redact(u.String()), err)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	client := f.Client
	if client == nil {
		client = f.Policy.client()
		defer client.CloseIdleConnections()
	}
	resp, err := client.Do(req)
	if err != nil {
		if e := (*Error)(nil); errors.As(err, &e) {
			return nil, fault(e.Fault, "fetch %s: %w", Redact(u.String()), e.Err)
		}
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // it repeats the URL, query and all
		}
		return nil, fault(Transport, "fetch %s: %w", Redact(u.String()), err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	err = fmt.Errorf("fetch %s: the server answers %s", Redact(u.String()), resp.Status)
	if e := resp.Body.Close(); e != nil {
		return nil, fault(Transport, "%w", err)
	}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return nil, fault(Transport, "%w", err)
	}
	return nil, fault(Artifact, "%w", err)
}
