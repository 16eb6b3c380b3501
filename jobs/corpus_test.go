package jobs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
)

const corpus = "../../shared/corpus"

type verdict struct {
	Valid bool   `json:"valid"`
	Error string `json:"error"`
	Path  []string
}

func verdicts(t testing.TB, file string) map[string]map[string]verdict {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, file))
	if err != nil {
		t.Skip("the corpus is not beside the checkout: ", err)
	}
	var v map[string]map[string]verdict
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// filePath turns upstream's path into the path in the file: the element that names the method is left out.
func filePath(p []string) string {
	var b strings.Builder
	for i, e := range p {
		if i == 2 && strings.HasPrefix(p[0], "actions[") && p[1] != "command" {
			continue
		}
		if strings.Trim(e, "0123456789") == "" && e != "" {
			b.WriteString("[" + e + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(e)
	}
	return b.String()
}

// compare reads every file and wants at least the given shares of equal verdicts and of equal paths of the first error.
func compare(t *testing.T, file string, modes map[string]schema.Mode, verdictShare, pathShare float64) {
	t.Helper()
	agree, total, same, paths := 0, 0, 0, 0
	for name, byMode := range verdicts(t, file) {
		src, err := os.ReadFile(filepath.Join(corpus, name))
		if err != nil {
			t.Fatal(err)
		}
		for m, want := range byMode {
			total++
			_, r := jobs.ParseJob(src, modes[m])
			if r.Valid() != want.Valid {
				t.Logf("%s %s: upstream %v %s; here %v", name, m, want.Valid, want.Error, r.Err())
				continue
			}
			agree++
			if want.Valid {
				continue
			}
			paths++
			if got := r.Errors[0].Path; got == filePath(want.Path) {
				same++
			} else {
				t.Logf("%s %s: path %s; upstream %s %s", name, m, got, filePath(want.Path), want.Error)
			}
		}
	}
	t.Logf("%s: %d of %d verdicts agree; %d of %d first paths", file, agree, total, same, paths)
	if float64(agree) < verdictShare*float64(total) || float64(same) < pathShare*float64(paths) {
		t.Errorf("want shares of at least %v and %v", verdictShare, pathShare)
	}
}

func TestCorpus(t *testing.T) {
	compare(t, "verdicts.json", map[string]schema.Mode{"strict": schema.Strict, "lenient": schema.Lenient}, 1, 0.95)
}

func TestMutated(t *testing.T) {
	compare(t, "mutated/verdicts.json", map[string]schema.Mode{"strict": schema.Strict}, 0.99, 0.95)
}

func TestDeviceCorpus(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus, "lava/devices/*.yaml"))
	if len(files) == 0 {
		t.Skip("the corpus is not beside the checkout")
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, r := jobs.ParseDevice(src); !r.Valid() {
			t.Errorf("%s: %v", f, r.Err())
		}
	}
}

// TestDamagedDevices damages each device file where LAVA's validator, or gantry, can tell.
func TestDamagedDevices(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus, "lava/devices/*.yaml"))
	if len(files) == 0 {
		t.Skip("the corpus is not beside the checkout")
	}
	required := []string{
		"constants", "parameters", "actions", "timeouts", "actions.deploy", "actions.boot", "actions.deploy.methods",
		"actions.boot.methods", "actions.boot.connections", "timeouts.actions", "timeouts.connections",
	}
	optional := []string{
		"hostname", "devicetype", "commands", "commands.connect", "commands.hard_reset", "commands.power_on",
		"commands.power_off",
		"commands.connections", "character_delays", "character_delays.boot", "character_delays.test", "device_info",
		"static_info",
		"adb_serial_number", "fastboot_serial_number", "fastboot_options", "flash_cmds_order", "board_id", "usb_vendor_id",
		"usb_sleep",
		"available_architectures", "parameters.interfaces", "constants.posix", "constants.posix.lava_test_sh_cmd",
		"actions.boot.methods.qemu.parameters.command", "timeouts.actions.lava-test-shell",
		"timeouts.actions.lava-test-shell.minutes",
	}
	damages := map[string]func(parent *yaml.Node, i int){
		"drop": func(p *yaml.Node, i int) { p.Content = slices.Delete(p.Content, i, i+2) },
		"typo": func(p *yaml.Node, i int) {
			k := p.Content[i]
			p.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Value: k.Value[:len(k.Value)-1] + "x"}
		},
		"type": func(p *yaml.Node, i int) {
			one := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "1"}}}
			wrong := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{one}}
			if p.Content[i+1].Kind == yaml.ScalarNode {
				wrong = &yaml.Node{
					Kind:    yaml.MappingNode,
					Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "a"}, {Kind: yaml.ScalarNode, Value: "b"}},
				}
			}
			p.Content[i+1] = wrong
		},
	}
	// Each copy is read anew; every fifth takes long enough, and another fifth falls on each file.
	const sample = 5
	refused, n := 0, 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for how, damage := range damages {
			where := required
			if how != "drop" {
				where = slices.Concat(required, optional)
			}
			for _, at := range where {
				if how == "typo" && (strings.HasPrefix(at, "timeouts.actions.") || strings.HasPrefix(at, "constants.")) {
					continue // free names
				}
				if n++; n%sample != 0 {
					continue
				}
				var doc yaml.Node
				if err := yaml.Unmarshal(src, &doc); err != nil {
					t.Fatal(err)
				}
				parent, i := find(&doc, strings.Split(at, "."))
				if parent == nil {
					continue
				}
				damage(parent, i)
				damaged, err := yaml.Marshal(&doc)
				if err != nil {
					t.Fatal(err)
				}
				if _, r := jobs.ParseDevice(damaged); r.Valid() {
					t.Errorf("%s: %s of %s is accepted", f, how, at)
				}
				refused++
			}
		}
	}
	t.Logf("%d damaged copies", refused)
}

// find is the mapping that has the key at the end of a path, and the key's index.
func find(n *yaml.Node, path []string) (*yaml.Node, int) {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != path[0] {
			continue
		}
		if len(path) == 1 {
			return n, i
		}
		return find(n.Content[i+1], path[1:])
	}
	return nil, 0
}
