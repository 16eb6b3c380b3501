package overlay

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gantry-ci/gantry/results/signal"
)

// shells are those that the helpers must run in, each reached by a link of the right name.
func shells(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, as := range map[string]string{
		"dash": "dash", "bash": "bash", "bash as sh": "sh", "busybox": "ash", "mksh": "mksh",
	} {
		command, _, _ := strings.Cut(name, " ")
		p, err := exec.LookPath(command)
		if err != nil {
			continue
		}
		found[name] = filepath.Join(t.TempDir(), as)
		if err := os.Symlink(p, found[name]); err != nil {
			t.Fatal(err)
		}
	}
	if len(found) == 0 {
		t.Skip("no shell among dash, bash, busybox and mksh")
	}
	return found
}

// unpack puts the overlay below dir, from its tar form.
func unpack(t *testing.T, o *Content) {
	t.Helper()
	var b bytes.Buffer
	if err := o.WriteTar(&b); err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(&b); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := "/" + strings.TrimSuffix(h.Name, "/")
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(name, h.FileInfo().Mode().Perm())
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, name)
		default:
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(name, content, h.FileInfo().Mode().Perm())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// runStage unpacks the spec's overlay and runs its first stage in sh as the runner would; it returns the output.
func runStage(t *testing.T, sh string, s *Spec) string {
	t.Helper()
	s.ID, s.Shell, s.ResultsDir = "7", sh, filepath.Join(t.TempDir(), "lava-%s")
	o, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	unpack(t, o)
	commands := s.Commands(0, 0)
	if s.ResultsDev != "" || s.ResultsFile {
		commands = append([]string{s.ResultsCommand("tok")}, commands...)
	}
	cmd := exec.CommandContext(t.Context(), sh, "-c", strings.Join(commands, "\n"))
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("the runner's status: %v", err)
	}
	return string(out)
}

func smoke() *Spec {
	return &Spec{Stages: []Stage{{Definitions: []Definition{{
		Name: "smoke", UUID: "7_1.1.3.1", Params: []Var{{"GREETING", "it's"}},
		Steps: []string{
			`lava-test-case "uname" --shell uname -s`,
			`lava-test-set start one`,
			`lava-test-case grüße --result pass --measurement 3.5 --units "m/s"`,
			`lava-test-case 'odd!"#$%&()*+,;:<?@[\]^{|}~' --result skip`,
			`lava-test-set stop`,
			`lava-test-case fails --shell 'echo "$GREETING" | grep nothing'`,
			`lava-test-case bogus --result bogus`,
			`(lava-test-raise "what \\ a > thing") || true`,
		},
	}, {
		Name: "early", Index: 1, UUID: "7_1.1.3.2", Steps: []string{"false", "lava-test-case never --result pass"},
	}}}}}
}

// results parses a stage's output; each case is "suite/set/case=result", with measurement and units.
func read(out string) ([]string, signal.Summary) {
	var got []string
	p := signal.New(signal.Options{Sequenced: true}, func(it signal.Item) {
		c := it.Case
		if c == nil {
			return
		}
		line := c.Suite + "/"
		if c.Set != nil {
			line += *c.Set + "/"
		}
		line += c.Case + "=" + c.Result
		if c.Measurement != nil {
			line += fmt.Sprintf(" %g %s", *c.Measurement, *c.Units)
		}
		got = append(got, line)
	})
	p.Feed([]byte(out), time.Now())
	sum := p.Close()
	return got, sum
}

func TestStageRunsInEveryShell(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			out := runStage(t, sh, smoke())
			got, sum := read(out)
			want := []string{
				"0_smoke/uname=pass", "0_smoke/one/grüße=pass 3.5 m/s", `0_smoke/one/odd!"#$%&()*+,;:<?@[\]^{|}~=skip`,
				"0_smoke/fails=fail", "0_smoke/bogus=unknown", "lava/0_smoke=pass", "lava/1_early=fail",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("cases (-want +got):\n%s", diff)
			}
			if sum.Damaged > 0 || sum.Recovered > 0 || !sum.Complete() || sum.Raise != `what \ a > thing` || sum.Records != 16 {
				t.Errorf("summary %+v", sum)
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

func TestShellcheck(t *testing.T) {
	sc, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("no shellcheck here")
	}
	s := &Spec{ID: "7", ResultsDir: filepath.Join(t.TempDir(), "lava-%s"), Stages: []Stage{{Definitions: []Definition{{
		Name: "d", Steps: []string{"lava-test-case a --shell true"}, Install: Install{Deps: []string{"make"}},
	}}}}}
	o, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	unpack(t, o)
	args := []string{"-x", "-s", "sh", "-S", "style"}
	for _, p := range o.Paths() {
		if strings.Contains(p, "/bin/") || strings.HasSuffix(p, "/run.sh") {
			args = append(args, p)
		}
	}
	if out, err := exec.CommandContext(t.Context(), sc, args...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}
