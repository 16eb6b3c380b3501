package cli

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/runner/lab"
)

// showJobs prints the LAVA definitions that the short forms in a .github/gantry.yml expand to, each as a YAML document,
// for the commit that is checked out around the file.
func (e *env) showJobs(file, name string) error {
	src, err := readFile(file)
	if err != nil {
		return usagef("%w", err)
	}
	if ok, err := e.checkFile(file, config.KindConfig, src, lab.JobMode); !ok {
		return errors.Join(err, exit(exitNo))
	}
	cfg, report := config.Parse(src)
	if err := report.Err(); err != nil {
		return err
	}
	from := checkedOut(filepath.Dir(file))
	shown := 0
	for _, j := range cfg.Jobs {
		if name != "" && j.Name != name {
			continue
		}
		if j.Board == nil && j.VM == nil {
			if name != "" {
				return usagef("job %s: its LAVA definition is a file already", j.Name)
			}
			continue
		}
		for _, v := range j.Variants() {
			text, err := j.Expand(v, from)
			if err != nil {
				return usagef("%w", err)
			}
			if _, err := fmt.Fprintf(e.stdout, "---\n%s", text); err != nil {
				return err
			}
			shown++
		}
	}
	if shown == 0 && name != "" {
		return usagef("%s has no job %q", file, name)
	}
	return nil
}

// checkedOut is the repository that a folder belongs to, as far as git can tell.
func checkedOut(dir string) config.Source {
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...) //nolint:noctx // answers from the disk at once
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	src := config.Source{URL: git("config", "--get", "remote.origin.url"), Commit: git("rev-parse", "HEAD")}
	if abs, err := filepath.Abs(dir); err == nil && src.URL == "" {
		src.URL = "file://" + abs
	}
	return src
}
