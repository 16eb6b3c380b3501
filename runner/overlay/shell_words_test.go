package overlay

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNamesInEveryShell reports cases with names that a shell, a terminal or the protocol might trip over.
func TestNamesInEveryShell(t *testing.T) {
	long := strings.Repeat("long-", 180) // under a name's limit
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Stages: []Stage{{Definitions: []Definition{{Name: "words", UUID: "7_1", Steps: []string{
				`lava-test-case 'two words' --result pass`,
				`lava-test-case "it's \"quoted\"" --result pass`,
				`lava-test-case 'a > b < c' --result pass`,
				"lava-test-case \"$(printf 'two\\nlines')\" --result pass",
				"lava-test-case \"$(printf 'tab\\there\\r')\" --result pass",
				`lava-test-case 'grüße-日本-🚀' --result pass`,
				`lava-test-case '$HOME ` + "`id`" + ` \n %s *' --result pass`,
				`lava-test-case -n --result pass`,
				`lava-test-case ` + long + ` --result pass`,
			}}}}}}
			got, sum := read(runStage(t, sh, s))
			want := []string{
				"words/two words=pass", `words/it's "quoted"=pass`, "words/a > b < c=pass", "words/two lines=pass",
				"words/tab here =pass",
				"words/grüße-日本-🚀=pass", "words/$HOME `id` \\n %s *=pass", "words/-n=pass", "words/" + long + "=pass",
				"lava/0_words=pass",
			}
			for i := range want[:len(want)-1] {
				want[i] = "0_" + want[i]
			}
			if diff := cmp.Diff(want, got); diff != "" || !sum.Complete() || sum.Damaged+sum.Recovered > 0 {
				t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
			}
		})
	}
}

// TestCommandsInEveryShell runs commands of test cases that end in every way.
func TestCommandsInEveryShell(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Stages: []Stage{{Definitions: []Definition{{Name: "commands", UUID: "7_1", Steps: []string{
				`lava-test-case status --shell 'exit 3'`,
				`lava-test-case killed --shell 'sh -c "kill -KILL \$\$"'`,
				`lava-test-case absent --shell no-such-command`,
				`lava-test-case no-newline --shell 'printf "the end"'`,
				`lava-test-case signals --shell 'echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=inner RESULT=skip>"'`,
				`lava-test-case nested --shell lava-test-case within --result pass`,
				`lava-test-case pipe --shell 'echo a | grep -q a && true'`,
				`lava-test-case input --shell 'cat </dev/null'`,
				`lava-test-case output --result pass --output /dev/null`,
			}}}}}}
			got, sum := read(runStage(t, sh, s))
			want := []string{
				"0_commands/status=fail", "0_commands/killed=fail", "0_commands/absent=fail", "0_commands/no-newline=pass",
				"0_commands/inner=skip", "0_commands/signals=pass", "0_commands/within=pass", "0_commands/nested=pass",
				"0_commands/pipe=pass",
				"0_commands/input=pass", "0_commands/output=pass", "lava/0_commands=pass",
			}
			if diff := cmp.Diff(want, got); diff != "" || !sum.Complete() || sum.Unsequenced != 1 {
				t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
			}
		})
	}
}

// TestAtEndInEveryShell prints what is to be printed at the end, once, whatever ended the run, and keeps its status.
func TestAtEndInEveryShell(t *testing.T) {
	for name, sh := range shells(t) {
		for step, want := range map[string]struct {
			prints int
			ends   string
		}{
			"true":                            {1, "ENDRUN 0_d"},
			"exit 3":                          {1, "RUNEXIT 0_d 3"},
			"false":                           {1, "RUNEXIT 0_d 1"},
			"lava-test-raise enough":          {1, "RUNEXIT 0_d 1"},
			"rm at-end; exit 3":               {0, "RUNEXIT 0_d 3"},
			"sh -c \"exit 7\"; echo not-here": {1, "RUNEXIT 0_d 7"},
		} {
			t.Run(name+"/"+strings.Fields(step)[0], func(t *testing.T) {
				s := &Spec{Stages: []Stage{{Definitions: []Definition{{
					Name: "d", UUID: "7_1", Steps: []string{"echo 1 >at-end", step}, AtEnd: "cat -- at-end; echo printed",
				}}}}}
				out := runStage(t, sh, s)
				if n := strings.Count(out, "\nprinted\n"); n != want.prints ||
					!strings.Contains(out, "_SIGNAL_"+want.ends) && !strings.Contains(out, "_SIGNAL "+want.ends) {
					t.Errorf("printed %d times:\n%s", n, out)
				}
			})
		}
	}
}

// TestGroupInEveryShell asks for a role that is there, and for one that is not.
func TestGroupInEveryShell(t *testing.T) {
	for name, sh := range shells(t) {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Self: "a", Group: []Member{
				{"a", "client"}, {"b", "server"},
			}, Stages: []Stage{{Definitions: []Definition{{Name: "d", UUID: "7_1", Steps: []string{
				`lava-test-case server --shell 'test "$(lava-group server)" = b'`,
				`lava-test-case nobody --shell lava-group nobody`,
				`lava-test-case all --shell 'test "$(lava-group)" = "$(printf "a\tclient\nb\tserver")"'`,
				`lava-test-case role --shell 'test "$(lava-role)" = client'`,
				`lava-test-case broadcast --shell lava-network broadcast`,
				`lava-test-case usage --shell 'lava-network query'`,
			}}}}}}
			got, sum := read(runStage(t, sh, s))
			want := []string{
				"0_d/server=pass", "0_d/nobody=fail", "0_d/all=pass", "0_d/role=pass", "0_d/broadcast=pass", "0_d/usage=fail",
				"lava/0_d=pass",
			}
			if diff := cmp.Diff(want, got); diff != "" || !sum.Complete() {
				t.Errorf("cases (-want +got):\n%s\nsummary %+v", diff, sum)
			}
		})
	}
}
