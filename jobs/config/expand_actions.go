package config

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/internal/shell"
)

func (e *expansion) context() *yaml.Node {
	c := mapping("arch", text(e.vm.Arch), "memory", text(e.vm.Memory))
	for _, x := range []struct{ key, value string }{{"machine", e.vm.Machine}, {"cpu", e.vm.CPU}} {
		if x.value != "" {
			add(c, x.key, text(x.value))
		}
	}
	if e.vm.CPUs > 1 {
		add(c, "extra_options", sequence(text("-smp "+strconv.Itoa(e.vm.CPUs))))
	}
	if !e.vm.Network {
		add(c, "no_network", flag(true))
	}
	return c
}

func (e *expansion) deploys() []*yaml.Node {
	if e.vm != nil {
		return []*yaml.Node{mapping("deploy", e.tmpfs())}
	}
	var all []*yaml.Node
	for _, w := range e.job.Write {
		all = append(all, mapping("deploy", mapping("to", text(w.To), "device", text(w.To), "image", image(&w.From))))
	}
	return all
}

// tmpfs gives the guest its disk, and its kernel when it is not the disk's own.
func (e *expansion) tmpfs() *yaml.Node {
	images := mapping()
	root := &Reference{Kind: "image", Path: e.vm.Image}
	disk, partition := "qcow2", "/dev/vda1"
	if e.vm.Root != nil {
		root, partition = e.vm.Root, "/dev/vda"
		if !strings.Contains(root.String(), ".qcow2") {
			disk = "raw"
		}
	}
	if e.vm.Kernel != nil {
		line := strings.TrimSpace("console=" + consoleOf(e.vm.Arch) + " root=" + partition + " rw " + e.vm.Cmdline)
		add(images, "kernel", withArg(image(e.vm.Kernel), `-kernel {kernel} -append "`+line+`"`))
	}
	if e.vm.Initrd != nil {
		add(images, "initrd", withArg(image(e.vm.Initrd), "-initrd {initrd}"))
	}
	add(images, "rootfs", withArg(image(root), "-drive file={rootfs},if=virtio,format="+disk))
	return mapping("to", text("tmpfs"), "images", images)
}

// consoleOf is the first serial console of QEMU's usual machine.
func consoleOf(arch string) string {
	switch arch {
	case "arm64", "arm":
		return "ttyAMA0"
	case "ppc64le":
		return "hvc0"
	case "s390x":
		return "ttysclp0"
	}
	return "ttyS0"
}

// compressions are recognized by the end of the name.
func compressionOf(name string) string {
	return map[string]string{".gz": "gz", ".xz": "xz", ".zst": "zstd", ".bz2": "bz2"}[path.Ext(name)]
}

func image(r *Reference) *yaml.Node {
	m := mapping("url", text(r.Location()))
	if c := compressionOf(r.String()); c != "" {
		add(m, "compression", text(c))
	}
	return m
}

func withArg(image *yaml.Node, arg string) *yaml.Node {
	add(image, "image_arg", text(arg))
	return image
}

// Location is the reference as a URL, as expanded jobs have it.
func (r *Reference) Location() string {
	switch r.Kind {
	case AtURL:
		return r.URL
	case InArtifact:
		return "artifact://" + strings.TrimSuffix(r.Artifact+"/"+r.Path, "/")
	}
	return string(r.Kind) + "://" + r.Path
}

// defaultPrompts are those of a root shell and of a user's.
func defaultPrompts() []string { return []string{`[#$] $`} }

func (e *expansion) boot() *yaml.Node {
	var prompts []string
	var login *Login
	b := mapping("method", text("minimal"))
	if e.vm != nil {
		b = mapping("method", text("qemu"), "media", text("tmpfs"))
		prompts, login = e.vm.Prompt, e.vm.Login
	} else {
		prompts, login = e.job.Board.Prompt, e.job.Board.Login
	}
	if len(prompts) == 0 {
		prompts = defaultPrompts()
	}
	add(b, "prompts", sequence(texts(prompts)...))
	if login != nil {
		l := mapping("login_prompt", text("login:"), "username", text(login.Username))
		if login.Password != "" {
			add(l, "password_prompt", text("Password:"))
			add(l, "password", text(login.Password))
		}
		add(b, "auto_login", l)
	}
	return mapping("boot", b)
}

// test runs the steps in a checkout. Each is a case; what follows a failed one is skipped.
func (e *expansion) test() *yaml.Node {
	names := e.stepNames()
	steps := []*yaml.Node{text("cd src"), text("export GANTRY_FAILED=$(pwd)/.gantry-failed")}
	vars := map[string]string{}
	maps.Copy(vars, e.job.Env)
	for k, v := range e.variant.Matrix {
		vars["MATRIX_"+variable(k)] = v
	}
	for k, v := range e.variant.Inputs {
		vars["INPUT_"+variable(k)] = v
	}
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		steps = append(steps, text("export "+k+"="+shell.Quote(vars[k])))
	}
	for i, s := range e.job.Steps {
		steps = append(steps, text(s.script(i, names[i])))
	}
	definition := mapping(
		"metadata", mapping("format", text("Lava-Test Test Definition 1.0"), "name", text(e.job.Name)),
		"install",
		mapping(
			"git-repos",
			sequence(mapping("url", text(e.source.URL), "branch", text(e.source.Commit), "destination", text("src"))),
		),
		"run", mapping("steps", sequence(steps...)),
		"expected", sequence(texts(names)...),
	)
	return mapping("test", mapping("definitions", sequence(mapping(
		"from", text("inline"), "name", text(e.job.Name), "path", text("inline/"+e.job.Name+".yaml"),
		"repository", definition,
	))))
}

var (
	notName     = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	notVariable = regexp.MustCompile(`[^A-Z0-9_]+`)
)

func variable(name string) string { return notVariable.ReplaceAllString(strings.ToUpper(name), "_") }

// stepNames are the cases' names: unique, of what LAVA allows.
func (e *expansion) stepNames() []string {
	seen := map[string]bool{}
	names := make([]string, len(e.job.Steps))
	for i, s := range e.job.Steps {
		name := s.Name
		if name == "" {
			name, _, _ = strings.Cut(s.Run, "\n")
		}
		base := plaintext.Runes(strings.Trim(notName.ReplaceAllString(name, "-"), "-."), 60)
		if base == "" {
			base = "step"
		}
		names[i] = base
		for n := 2; seen[names[i]]; n++ {
			names[i] = base + "-" + strconv.Itoa(n)
		}
		seen[names[i]] = true
	}
	return names
}

// script writes the step into a file, which no quoting of the command can break, and runs it as a case.
func (s *Step) script(i int, name string) string {
	file := fmt.Sprintf("../.gantry-%d.sh", i+1)
	end := fmt.Sprintf("END_%x", sha256.Sum256([]byte(s.Run)))[:20]
	var b strings.Builder
	fmt.Fprintf(&b, "cat > %s <<'%s'\n", file, end)
	b.WriteString("trap '[ $? = 0 ] || : > \"$GANTRY_FAILED\"' EXIT\nset -e\n")
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		fmt.Fprintf(&b, "export %s=%s\n", k, shell.Quote(s.Env[k]))
	}
	if s.Dir != "" && s.Dir != "." {
		fmt.Fprintf(&b, "cd %s\n", shell.Quote(s.Dir))
	}
	fmt.Fprintf(&b, "%s\n%s\n", strings.TrimSuffix(s.Run, "\n"), end)
	command := "sh " + file
	if s.Timeout > 0 {
		command = fmt.Sprintf("timeout %d %s", int(s.Timeout/time.Second), command)
	}
	fmt.Fprintf(
		&b, "if [ -e \"$GANTRY_FAILED\" ]; then lava-test-case %s --result skip; else lava-test-case %s --shell %s; fi\n",
		name, name, command,
	)
	return b.String()
}
