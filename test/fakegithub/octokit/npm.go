package octokit

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// packTimeout bounds one npm pack: the largest package has 29 MB.
const packTimeout = 5 * time.Minute

// maxEntry bounds one file of a package; the whole OpenAPI description has 13 MB.
const maxEntry = 64 << 20

// npmPackage is a package of the npm registry at one version.
type npmPackage struct {
	name, version string
	tarball       string // the name npm pack gives the file
	sha512        string // base64, as in npm's integrity field
}

func openAPIPackage() npmPackage {
	return npmPackage{
		"@octokit/openapi", "23.0.2", "octokit-openapi-23.0.2.tgz",
		"pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
	}
}

func examplesPackage() npmPackage {
	return npmPackage{
		"@octokit/webhooks-examples", "7.6.1", "octokit-webhooks-examples-7.6.1.tgz",
		"De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
	}
}

func schemasPackage() npmPackage {
	return npmPackage{
		"@octokit/webhooks-schemas", "7.6.1", "octokit-webhooks-schemas-7.6.1.tgz",
		"qW0Bwtb76r4m2WzVhKDyfEeEnt1GEQoRjkCqmq2ZeB0nNVDJ+Z2LBDS9FDPyduuMXf/ZTWiCJp9PFFHgRfBe3A==",
	}
}

// extract writes one file of the package to the path to, edited if edit is set.
func (p npmPackage) extract(ctx context.Context, dir, entry, to string, edit func([]byte) ([]byte, error)) error {
	tgz, err := p.pack(ctx, dir)
	if err != nil {
		return err
	}
	data, err := readEntry(tgz, entry)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(tgz), err)
	}
	if edit != nil {
		if data, err = edit(data); err != nil {
			return err
		}
	}
	return writeWhole(to, data)
}

// pack returns the package's tarball, from dir or by npm pack.
func (p npmPackage) pack(ctx context.Context, dir string) (string, error) {
	tgz := filepath.Join(dir, p.tarball)
	if p.verify(tgz) == nil {
		return tgz, nil
	}
	tmp, err := os.MkdirTemp(dir, "pack-")
	if err != nil {
		return "", fmt.Errorf("make room: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	ctx, cancel := context.WithTimeout(ctx, packTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", tmp, p.name+"@"+p.version)
	cmd.Dir = tmp
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("npm pack: %w: %s", err, bytes.TrimSpace(out.Bytes()))
	}
	got := filepath.Join(tmp, p.tarball)
	if err := p.verify(got); err != nil {
		return "", err
	}
	if err := os.Rename(got, tgz); err != nil {
		return "", fmt.Errorf("keep %s: %w", p.tarball, err)
	}
	return tgz, nil
}

func (p npmPackage) verify(tgz string) error {
	f, err := os.Open(tgz)
	if err != nil {
		return fmt.Errorf("verify %s: %w", p.tarball, err)
	}
	defer func() { _ = f.Close() }()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("verify %s: %w", p.tarball, err)
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != p.sha512 {
		return fmt.Errorf("verify %s: its SHA-512 is %s, want %s", p.tarball, got, p.sha512)
	}
	return nil
}

func readEntry(tgz, entry string) ([]byte, error) {
	f, err := os.Open(tgz)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", entry, os.ErrNotExist)
		}
		if err != nil {
			return nil, err
		}
		if h.Name == entry {
			if h.Size > maxEntry {
				return nil, fmt.Errorf("%s has %d bytes, more than %d", entry, h.Size, maxEntry)
			}
			return io.ReadAll(tr)
		}
	}
}

// writeWhole makes the file appear at once, with all of data.
func writeWhole(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write cache: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Chmod(0o644)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write cache: %w", err)
	}
	return nil
}
