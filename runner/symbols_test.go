package runner_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/kernlog/symbol"
	"github.com/gantry-ci/gantry/runner/plan"
)

// TestSymbols decodes a stack of the real kernel with an image that claims its build id, and with one that does not.
// Debian's own image is a package of 800 MB; the one here has a function of the stack with its size.
func TestSymbols(t *testing.T) {
	root := images(t)
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no compiler to make an image with:", err)
	}
	oops := "(echo " + module(t, root, []byte{0x31, 0xc0, 0x8b, 0x00}) + " | base64 -d | gunzip > /tmp/m.ko && insmod /tmp/m.ko) || true"
	steps, err := json.Marshal([]string{"od -An -v -tx1 /sys/kernel/notes", oops})
	if err != nil {
		t.Fatal(err)
	}
	src := source(t, func(p *params) { p.Steps = string(steps) })
	stack := func(image string) (string, string) {
		res, dir := serve(t, src, plan.Policy{FileRoots: []string{root}}, func(o *runner.Options) { o.Symbols = image })
		console, err := os.ReadFile(filepath.Join(dir, runner.ConsoleFile))
		if err != nil || len(res.Findings) == 0 || res.Class != jobs.ClassTest {
			t.Fatalf("%v, %s (%s), findings %+v", err, res.Message, res.Class, res.Findings)
		}
		return res.Findings[0].Text, string(console)
	}
	text, console := stack("")
	const function = "do_init_module"
	m := regexp.MustCompile(function + `\+0x[0-9a-f]+/0x([0-9a-f]+)`).FindStringSubmatch(text)
	var notes []byte
	for _, line := range regexp.MustCompile(`(?m)^(?: [0-9a-f]{2})+\r?$`).FindAllString(console, -1) {
		b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, b...)
	}
	id, err := symbol.NotesBuildID(notes, binary.LittleEndian)
	if m == nil || err != nil {
		t.Fatalf("%v, no %s in:\n%s", err, function, text)
	}
	build := func(id string) string {
		dir := t.TempDir()
		source := fmt.Sprintf("int %s(void)\n{\n\t__asm__ volatile(\".rept 0x%s - 6\\n nop\\n.endr\");\n\treturn 0;\n}\nint main(void) { return %s(); }\n", function, m[1], function)
		if err := os.WriteFile(filepath.Join(dir, "module.c"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), gcc, "-g", "-O1", "-fcf-protection=none", "-no-pie", "-Wl,--build-id=0x"+id, "-o", "vmlinux", "module.c")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return filepath.Join(dir, "vmlinux")
	}
	want := regexp.MustCompile(function + `\+0x[0-9a-f]+/0x[0-9a-f]+ module\.c:3`)
	if text, _ := stack(build(id)); !want.MatchString(text) {
		t.Errorf("not decoded:\n%s", text)
	}
	if text, _ := stack(build("00" + id[2:])); want.MatchString(text) {
		t.Errorf("decoded with another build's image:\n%s", text)
	}
}
