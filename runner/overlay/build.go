package overlay

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/shell"
	"github.com/gantry-ci/gantry/results/signal"
)

//go:embed scripts
var scripts embed.FS

// Build makes the overlay of a spec, reading nothing but the file systems of the spec. An invalid spec is an
// error; class job if the user's files are at fault.
func Build(s *Spec) (*Content, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	t := newTree(s.root())
	if err := t.helpers(s); err != nil {
		return nil, err
	}
	t.text("environment", exports(environment(s)), 0o644)
	t.text("secrets", exports(s.Secrets), 0o600)
	t.dir("results")
	t.facts(s)
	for i := range s.Stages {
		if s.Stages[i].Elsewhere {
			continue
		}
		if err := t.stage(s, i); err != nil {
			return nil, err
		}
	}
	return t.content(), nil
}

// helpers adds bin/. A script's places for the protocol's words, the shell and the overlay's folder are filled in, so
// that it works without any environment: under sudo, from cron, or in a daemon.
func (t *tree) helpers(s *Spec) error {
	entries, err := scripts.ReadDir("scripts")
	if err != nil {
		return fmt.Errorf("read helper scripts: %w", err)
	}
	fill := strings.NewReplacer(append(signal.Places(), "@SHELL@", s.shell(), "@PREFIX@", s.root())...)
	for _, e := range entries {
		b, err := scripts.ReadFile("scripts/" + e.Name())
		if err != nil {
			return fmt.Errorf("read helper scripts: %w", err)
		}
		t.text("bin/"+e.Name(), fill.Replace(string(b)), 0o755)
	}
	return nil
}

// facts adds what the helpers print about the device and its group.
func (t *tree) facts(s *Spec) {
	t.dir("gantry")
	line := func(name, value string) {
		if value != "" {
			t.text("gantry/"+name, value+"\n", 0o644)
		}
	}
	line("target-ip", s.Target.IP)
	line("target-mac", s.Target.MAC)
	line("probe-ip", s.Target.ProbeIP)
	line("probe-channel", s.Target.ProbeChannel)
	line("self", s.Self)
	line("results-dev", s.ResultsDev)
	if s.ResultsFile {
		t.text("gantry/results", "", 0o644)
	}
	var storage, group []string
	for _, v := range s.Target.Storage {
		storage = append(storage, v.Name+" "+v.Value)
	}
	for _, m := range s.Group {
		group = append(group, m.Name+" "+m.Role)
	}
	line("storage", strings.Join(storage, "\n"))
	line("group", strings.Join(group, "\n"))
	for _, stage := range s.Stages {
		for _, d := range stage.Definitions {
			if d.Signal == SignalKmsg {
				line("kmsg", "on")
			}
		}
	}
}

func (t *tree) stage(s *Spec, i int) error {
	stage := s.stage(i)
	var conf strings.Builder
	for _, d := range s.Stages[i].Definitions {
		dir := path.Join(stage, "tests", d.Run())
		fmt.Fprintf(&conf, "%s\n", path.Join(s.root(), dir))
		if d.Tree != nil {
			if err := t.copy(dir, d.Tree); err != nil {
				return err
			}
		}
		if !d.skips(SkipGitRepos) {
			for _, r := range d.Install.Repos {
				if err := t.copy(path.Join(dir, r.Dir), r.Tree); err != nil {
					return err
				}
			}
		}
		t.dir(dir)
		t.text(path.Join(dir, "testdef.yaml"), string(d.Source), 0o644)
		t.text(path.Join(dir, "testdef_metadata"), pairs(d.Metadata), 0o644)
		t.text(path.Join(dir, "uuid"), d.UUID+"\n", 0o644)
		if script := installScript(s, &d); script != "" {
			t.text(path.Join(dir, "install.sh"), script, 0o755)
		}
		t.text(path.Join(dir, "run.sh"), runScript(s, &d, path.Join(s.root(), dir)), 0o755)
	}
	t.text(path.Join(stage, "lava-test-runner.conf"), conf.String(), 0o644)
	return nil
}

// runScript is run.sh, as LAVA's: a failing step ends the run.
func runScript(s *Spec, d *Definition, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!%s\n%s", s.shell(), assignments(d.Params))
	if d.Signal == SignalKmsg {
		b.WriteString("export GANTRY_SIGNAL=kmsg\n")
	}
	send := path.Join(s.root(), "bin/gantry-signal")
	fmt.Fprintf(&b, "set -e\nexport TESTRUN_ID=%s\ncd %s\nUUID=\"$(cat uuid)\"\n", shell.Quote(d.Run()), shell.Quote(dir))
	if d.AtEnd != "" {
		// In a process of its own, which ends where it fails: the run's status stays.
		fmt.Fprintf(
			&b, "trap %s EXIT\n",
			shell.Quote("{ gantry_status=$?; set +ex; } 2>/dev/null; (set -e; "+d.AtEnd+"); exit $gantry_status"),
		)
	}
	fmt.Fprintf(&b, "%s \"<%s_STARTRUN $TESTRUN_ID $UUID>\"\nset -x\n", send, signal.Signal)
	for _, step := range d.Steps {
		fmt.Fprintln(&b, step)
	}
	b.WriteString("{ set +x; } 2>/dev/null\n")
	if d.AtEnd != "" {
		fmt.Fprintf(&b, "trap - EXIT\n%s\n", d.AtEnd)
	}
	fmt.Fprintf(&b, "%s \"<%s_ENDRUN $TESTRUN_ID $UUID>\"\n", send, signal.Signal)
	return b.String()
}

// installScript is install.sh, or "" when there is nothing to install.
func installScript(s *Spec, d *Definition) string {
	var lines []string
	add := func(part, command string, args []string) {
		if len(args) == 0 || d.skips(part) {
			return
		}
		for _, a := range args {
			command += " " + shell.Quote(a)
		}
		lines = append(lines, command)
	}
	add(SkipKeys, "lava-add-keys", d.Install.Keys)
	add(SkipSources, "lava-add-sources", d.Install.Sources)
	add(SkipDeps, "lava-install-packages", d.Install.Deps)
	if !d.skips(SkipSteps) {
		lines = append(lines, d.Install.Steps...)
	}
	if len(lines) == 0 {
		return ""
	}
	return fmt.Sprintf("#!%s\n%sset -ex\n%s\n", s.shell(), assignments(d.Params), strings.Join(lines, "\n"))
}

func environment(s *Spec) []Var {
	env := s.Environment
	if !slices.ContainsFunc(env, func(v Var) bool { return v.Name == "LAVA_JOB_ID" }) {
		env = append([]Var{{"LAVA_JOB_ID", s.ID}}, env...)
	}
	return env
}

func exports(vars []Var) string {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, shell.Quote(v.Value))
	}
	return b.String()
}

func assignments(vars []Var) string {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "%s=%s\n", v.Name, shell.Quote(v.Value))
	}
	return b.String()
}

func pairs(vars []Var) string {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "%s: %s\n", v.Name, v.Value)
	}
	return b.String()
}
