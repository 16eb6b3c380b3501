package runner_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/results/kernlog/symbol"
	"github.com/gantry-ci/gantry/runner"
	"github.com/gantry-ci/gantry/runner/plan"
)

// TestSymbols decodes stacks of the real kernel: of an oops after the login, and of a panic before it, when nobody
// could ask the kernel which build it is. Debian's own vmlinux is a package of 800 MB; the one here claims its build
// id, and has a function of the stack with its size.
func TestSymbols(t *testing.T) {
	t.Parallel()
	root := images(t)
	oops := "(echo " + module(t, root, []byte{
		0x31, 0xc0, 0x8b, 0x00,
	}) + " | base64 -d | gunzip > /tmp/m.ko && insmod /tmp/m.ko) || true"
	web := &shop{files: map[string][]byte{}}
	server := httptest.NewServer(web)
	defer server.Close()
	policy := plan.Policy{FileRoots: []string{root}, URLs: []string{server.URL + "/"}}
	run := func(
		metadata string, class results.Class, change func(p *params), with ...func(*runner.Options),
	) (text, dir string) {
		t.Helper()
		src := source(t, func(p *params) { p.Top = metadata; change(p) })
		res, dir := serve(t, src, policy, with...)
		if len(res.Findings) != 1 || res.Class != class ||
			strings.Contains(strings.ToLower(fmt.Sprint(res.Evidence)), "symbols") {
			t.Fatalf("%s (%s), findings %+v", res.Message, res.Class, res.Findings)
		}
		if _, err := os.Stat(filepath.Join(dir, "symbols")); err == nil {
			t.Error("the symbols are left")
		}
		return res.Findings[0].Text, dir
	}
	late := func(p *params) { p.Steps = list("od -An -v -tx1 /sys/kernel/notes", oops) }
	early := func(p *params) { p.Append = "rdinit=/missing init=/missing" }
	at := func(server, file string, more ...string) string {
		return "metadata: {gantry: {symbols: {" + strings.Join(append([]string{
			"url: '" + server + file + "'",
		}, more...), ", ") + "}}}"
	}

	// What the stacks are without symbols.
	text, dir := run("", results.ClassTest, late)
	id := printedNotes(t, dir)
	f, err := os.Open(filepath.Join(root, "vmlinuz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if ids, err := symbol.KernelBuildIDs(f); err != nil || !slices.Contains(ids, id) {
		t.Errorf("the kernel's file has the build ids %v (%v), and it says %s", ids, err, id)
	}
	const function, before = "do_init_module", "kernel_init_freeable"
	web.files["/vmlinux.zst"] = zipped(t, vmlinux(t, text, function, id))
	web.files["/other"] = vmlinux(t, text, function, "00"+id[2:])
	sum := sha256.Sum256(web.files["/vmlinux.zst"])
	line := regexp.MustCompile(function + `\+0x[0-9a-f]+/0x[0-9a-f]+ module\.c:3`)

	if text, _ := run(
		at(server.URL, "/vmlinux.zst", "compression: zstd", "sha256sum: "+hex.EncodeToString(sum[:])), results.ClassTest,
		late,
	); !line.MatchString(text) {
		t.Errorf("not decoded:\n%s", text)
	}
	text, dir = run(at(server.URL, "/other"), results.ClassTest, late)
	if line.MatchString(text) {
		t.Errorf("decoded with another build's image:\n%s", text)
	}
	said(t, dir, "is not decoded: the image has another build id than the kernel")
	text, dir = run(at(server.URL, "/absent"), results.ClassJob, early)
	said(t, dir, "stacks are not decoded: fetch "+server.URL+"/absent: the server answers 404")

	web.files["/vmlinux.zst"] = zipped(t, vmlinux(t, text, before, id))
	line = regexp.MustCompile(before + `\+0x[0-9a-f]+/0x[0-9a-f]+ module\.c:3`)
	if text, dir = run(
		at(server.URL, "/vmlinux.zst", "compression: zstd"), results.ClassJob, early,
	); !line.MatchString(text) {
		b, _ := os.ReadFile(filepath.Join(dir, results.EventsFile))
		t.Errorf("not decoded before the login:\n%s\n%s", text, b)
	}
	operators := filepath.Join(t.TempDir(), "vmlinux")
	if err := os.WriteFile(operators, vmlinux(t, text, before, id), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, _ := run("", results.ClassJob, early, func(o *runner.Options) {
		o.Symbols = operators
	}); !line.MatchString(text) {
		t.Errorf("not decoded with the operator's file:\n%s", text)
	}
	if web.asked != 4 {
		t.Errorf("%d files were asked for, want 4", web.asked)
	}
}

// TestSymbolsRefused refuses what a served job may not name, at its line, and before anything is switched on.
func TestSymbolsRefused(t *testing.T) {
	t.Parallel()
	root := images(t)
	for url, want := range map[string]string{
		"http://10.0.0.1/vmlinux": "is a private address", "http://[::1]/vmlinux": "is a loopback address",
		"http://169.254.169.254/latest": "is a link-local address",
		"file:///etc/shadow":            "not below one of the runner's file_roots",
		"artifact://vmlinux":            `the scheme is "artifact"`, "../vmlinux": `the scheme is ""`,
	} {
		res, _ := serve(t, source(t, func(p *params) {
			p.Top = "metadata:\n  gantry:\n    symbols: '" + url + "'"
		}), plan.Policy{FileRoots: []string{root}})
		if res.Class != results.ClassJob || !strings.HasPrefix(res.Message, "line 7: metadata.gantry.symbols: ") ||
			!strings.Contains(res.Message, want) || len(res.Cases) > 0 {
			t.Errorf("%s: %s (%s), %d cases", url, res.Message, res.Class, len(res.Cases))
		}
	}
}

// shop is a server of files that counts.
type shop struct {
	files map[string][]byte
	asked int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked++
	if b, ok := s.files[r.URL.Path]; ok {
		_, _ = w.Write(b)
		return
	}
	http.NotFound(w, r)
}

// said holds that the run's log says so.
func said(t *testing.T, dir, want string) {
	t.Helper()
	if b, err := os.ReadFile(filepath.Join(dir, results.EventsFile)); err != nil || !bytes.Contains(b, []byte(want)) {
		t.Errorf("the log does not say %q (%v):\n%s", want, err, b)
	}
}

// printedNotes is the build id that the console shows.
func printedNotes(t *testing.T, dir string) string {
	t.Helper()
	console, err := os.ReadFile(filepath.Join(dir, results.ConsoleLog("")))
	if err != nil {
		t.Fatal(err)
	}
	var notes []byte
	for _, line := range regexp.MustCompile(`(?m)^(?: [0-9a-f]{2})+\r?$`).FindAll(console, -1) {
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(line)), ""))
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, b...)
	}
	id, err := symbol.NotesBuildID(notes, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// vmlinux is an image with the build id, and with the function of the stack in its size.
func vmlinux(t *testing.T, stack, function, id string) []byte {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no compiler to make an image with:", err)
	}
	m := regexp.MustCompile(function + `\+0x[0-9a-f]+/0x([0-9a-f]+)`).FindStringSubmatch(stack)
	if m == nil {
		t.Fatalf("no %s in:\n%s", function, stack)
	}
	dir := t.TempDir()
	source := fmt.Sprintf(
		"int %s(void)\n{\n\t__asm__ volatile(\".rept 0x%s - 6\\n nop\\n.endr\");\n\treturn 0;\n}\n"+
			"int main(void) { return %s(); }\n",
		function, m[1], function,
	)
	if err := os.WriteFile(filepath.Join(dir, "module.c"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(
		t.Context(), gcc, "-g", "-O1", "-fcf-protection=none", "-no-pie", "-Wl,--build-id=0x"+id, "-o", "vmlinux", "module.c",
	)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "vmlinux"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}
