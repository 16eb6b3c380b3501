// Package lab is a lab's machine: the configuration of its runner, the limits of what it serves, and what executes an
// assignment. Package agent has the dealings with the app, package runner the one path of a run.
package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner/dut"
)

// Config is a runner's configuration file.
type Config struct {
	Server       string
	Name         string
	TokenFile    string
	Dir          string
	DeviceFiles  []string
	FileRoots    []string
	URLs         []string
	Repositories []string
	Host         HostConfig

	Token   string                  // the content of TokenFile
	Devices map[string]*jobs.Device // the content of DeviceFiles, by name
}

// Fields declares the file.
func (c *Config) Fields(f *schema.Fields) {
	f.Required("server", schema.Text(&c.Server), "The app's URL: https://…, or h2c://… for HTTP/2 in clear.")
	f.Required("name", schema.Text(&c.Name), "Of this runner, unique in the lab.")
	f.Optional("token_file", schema.Text(&c.TokenFile), "The enrollment token; needed once.")
	f.Required("dir", schema.Text(&c.Dir), "The runner's own folder.")
	f.Required("devices", schema.Texts(&c.DeviceFiles), "Device files, beside this file; patterns as in a shell.")
	f.Optional("file_roots", schema.Texts(&c.FileRoots), "Folders that file: URLs of jobs may lead to.")
	f.Optional(
		"urls", schema.Texts(&c.URLs), "Prefixes of http URLs that jobs may fetch although their host is the lab's own.",
	)
	f.Optional(
		"repositories", schema.Texts(&c.Repositories), "Patterns of owner/name this runner serves; none serves all.",
	)
	f.Optional("host", schema.Sub(&c.Host), "What this host serves to targets; nothing without it.")
}

// ReadConfig reads the configuration and all that it names. Device reads one device file: it says what is wrong with it
// as its user wants it said. Makers are those of targets, nil for gantry's own: a device file of which none of them
// makes a target is refused here, and not with each of its jobs.
func ReadConfig(
	file string, device func(file string) (*jobs.Device, error), makers []dut.Maker,
) (*Config, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c := &Config{Devices: map[string]*jobs.Device{}}
	n, report := schema.Parse(src, schema.YAML12)
	if n != nil {
		schema.Decode(n, "", c, schema.Strict, report)
	}
	report.Place(src)
	if err := report.Err(); err != nil {
		return nil, fmt.Errorf("read %s:\n%w", file, err)
	}
	dir := filepath.Dir(file)
	for _, pattern := range c.DeviceFiles {
		files, err := filepath.Glob(beside(dir, pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("read the configuration: %s: no device file is at %q", file, pattern)
		}
		for _, f := range files {
			if err := c.add(f, device, makers); err != nil {
				return nil, err
			}
		}
	}
	if c.TokenFile != "" {
		token, err := os.ReadFile(beside(dir, c.TokenFile))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // it is needed once
			return nil, fmt.Errorf("read the enrollment token: %w", err)
		}
		c.Token = strings.TrimSpace(string(token))
	}
	return c, nil
}

// add reads a device file.
func (c *Config) add(file string, device func(string) (*jobs.Device, error), makers []dut.Maker) error {
	d, err := device(file)
	if err != nil {
		return err
	}
	if c.Devices[d.Name] != nil {
		return fmt.Errorf("%s: a second device is called %q", file, d.Name)
	}
	if _, err := dut.New(d, dut.Options{Makers: makers}); err != nil { // which does no I/O
		return fmt.Errorf("%s: %w", file, err)
	}
	c.Devices[d.Name] = d
	return nil
}

func beside(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
