package testdef

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"github.com/gantry-ci/gantry/internal/fetch"
	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

// clone is a repository being made.
type clone struct {
	dir   string
	url   string // without credentials
	env   []string
	proxy *fetch.Proxy // nil for the operator
}

// newClone prepares git's environment: nothing of this host's configuration, no hooks, no questions.
func (f *Fetcher) newClone(ctx context.Context, s *Source, dir string) (*clone, error) {
	g := &clone{dir: dir, url: s.URL}
	config := [][2]string{
		{"core.hooksPath", os.DevNull},
		{"core.fsmonitor", "false"},
		{"gc.auto", "0"},
		{"maintenance.auto", "false"},
		{"credential.helper", ""},
		{"advice.detachedHead", "false"},
		{"safe.directory", "*"},
		{"init.defaultBranch", "gantry-none"},
	}
	config = append(config, g.credentials()...)
	if !f.Policy.Host {
		proxy, err := f.Policy.Proxy(ctx, g.url, maxTransfer)
		if err != nil {
			return nil, err
		}
		g.proxy = proxy
		config = append(config, [2]string{"http.proxy", proxy.URL()}, [2]string{"http.proxyAuthMethod", "basic"})
	}
	g.environment(config, f.Policy.Host)
	return g, nil
}

// credentials takes those of the URL out of it, and returns the configuration that sends them.
func (g *clone) credentials() [][2]string {
	u, err := url.Parse(g.url)
	if err != nil || u.User == nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	password, _ := u.User.Password()
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	u.User = nil
	g.url = u.String()
	// Git sends it for this repository only, and curl not to another host that redirects.
	return [][2]string{{"http." + g.url + ".extraHeader", header}}
}

// environment is all that git gets of ours. The operator's ssh finds its keys and known hosts; it asks nothing.
func (g *clone) environment(config [][2]string, operator bool) {
	protocols := servedProtocols
	if operator {
		protocols = operatorProtocols
	}
	g.env = []string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=",
		"GIT_ALLOW_PROTOCOL=" + protocols,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_LFS_SKIP_SMUDGE=1",
		"GIT_CONFIG_COUNT=" + strconv.Itoa(len(config)),
	}
	for i, kv := range config {
		g.env = append(g.env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, kv[1]))
	}
	if !operator {
		g.env = append(g.env, "HOME="+os.DevNull)
		return
	}
	g.env = append(
		g.env, "HOME="+os.Getenv("HOME"), "SSH_AUTH_SOCK="+os.Getenv("SSH_AUTH_SOCK"), "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
	)
}

func (g *clone) close() error {
	if g.proxy == nil {
		return nil
	}
	return g.proxy.Close()
}

// run runs git in the repository, in a process group of its own.
func (g *clone) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = g.dir, slices.Concat(g.env, []string{"PWD=" + g.dir})
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killWait
	out, stderr := &capped{max: maxList}, plaintext.NewTail(maxStderr)
	cmd.Stdout, cmd.Stderr = out, stderr
	err := cmd.Run()
	switch {
	case err == nil && out.over:
		return "", results.Failf(results.ClassJob, "more than %d files", maxFiles)
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("git %s: %w", args[0], context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return "", results.Failf(results.ClassInfrastructure, "git is not installed: %w", err)
	}
	if g.proxy != nil && g.proxy.Err() != nil {
		return "", g.proxy.Err()
	}
	text := stderr.String()
	if lab.MatchString(text) {
		return "", results.Failf(results.ClassInfrastructure, "git %s: %s", args[0], text)
	}
	return "", results.Failf(results.ClassJob, "git %s: %w: %s", args[0], err, text)
}

// capped keeps the first bytes.
type capped struct {
	bytes.Buffer
	max  int
	over bool
}

func (c *capped) Write(p []byte) (int, error) {
	if room := c.max - c.Len(); room < len(p) {
		c.over = true
		c.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return c.Buffer.Write(p)
}
