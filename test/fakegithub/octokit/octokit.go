// Package octokit fetches what GitHub publishes about its own interface through
// the npm packages of its octokit organization, and keeps it in a cache outside
// version control: the OpenAPI description of the REST API, trimmed to the
// operations that gantry uses, and GitHub's example webhook payloads.
//
// The packages are MIT licensed and pinned by version and SHA-512. The first
// Ensure of a machine takes npm and a few seconds, later ones a stat.
package octokit

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// operations lists the operations to keep: "METHOD /path" a line, # comments.
//
//go:embed operations.txt
var operations string

// trimVersion is part of the cached file's name; raise it when trimming or correcting changes.
const trimVersion = "2"

// Files are the paths of the cached inputs.
type Files struct {
	// OpenAPI is api.github.com's OpenAPI 3.0.3 description, trimmed to Operations.
	OpenAPI string
	// Examples is index.json of @octokit/webhooks-examples: an array of
	// {"name": event, "description": …, "examples": [payload, …]}.
	Examples string
	// Schemas is schema.json of @octokit/webhooks-schemas: one JSON Schema
	// (draft 7) with a definition for each event and action.
	Schemas string
}

// Operations returns the operations kept, as "METHOD /path/{parameter}".
func Operations() []string {
	var ops []string
	for line := range strings.Lines(operations) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			ops = append(ops, line)
		}
	}
	return ops
}

// Ensure fetches into dir what is not yet there. Processes that call it at the
// same time wait for the first; a file appears under its name only when whole.
func Ensure(ctx context.Context, dir string) (Files, error) {
	files := named(dir)
	if files.present() {
		return files, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Files{}, fmt.Errorf("make cache: %w", err)
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return Files{}, err
	}
	defer unlock()
	if files.present() {
		return files, nil
	}
	steps := []struct {
		pkg   npmPackage
		entry string
		to    string
		edit  func([]byte) ([]byte, error)
	}{
		{openAPIPackage(), "package/generated/api.github.com.json", files.OpenAPI, trimTo(Operations())},
		{examplesPackage(), "package/api.github.com/index.json", files.Examples, nil},
		{schemasPackage(), "package/schema.json", files.Schemas, nil},
	}
	for _, s := range steps {
		if _, err := os.Stat(s.to); err == nil {
			continue
		}
		if err := s.pkg.extract(ctx, dir, s.entry, s.to, s.edit); err != nil {
			return Files{}, fmt.Errorf("fetch %s: %w", s.pkg.name, err)
		}
	}
	return files, nil
}

// Dir returns the cache of the module that the working directory is in:
// .cache/openapi beside its go.mod.
func Dir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("locate module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache", "openapi"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("locate module: no go.mod above the working directory")
		}
		dir = parent
	}
}

func named(dir string) Files {
	sum := sha256.Sum256([]byte(trimVersion + operations + openAPIPackage().version))
	return Files{
		OpenAPI:  filepath.Join(dir, "api.github.com-"+hex.EncodeToString(sum[:6])+".json"),
		Examples: filepath.Join(dir, "webhooks-examples-"+examplesPackage().version+".json"),
		Schemas:  filepath.Join(dir, "webhooks-schemas-"+schemasPackage().version+".json"),
	}
}

func (f Files) present() bool {
	for _, name := range []string{f.OpenAPI, f.Examples, f.Schemas} {
		if _, err := os.Stat(name); err != nil {
			return false
		}
	}
	return true
}

// lock takes an advisory lock that the kernel drops when the process ends.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
