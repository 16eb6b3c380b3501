package shell

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for in, want := range map[string][]string{
		"":                      nil,
		"  a\t b\n":             {"a", "b"},
		`-append "a b" c`:       {"-append", "a b", "c"},
		`'a "b"' "c 'd'"`:       {`a "b"`, `c 'd'`},
		`a\ b "c\"d" "\x" '\x'`: {"a b", `c"d`, `\x`, `\x`},
		`"" ''`:                 {"", ""},
		`a""b`:                  {"ab"},
	} {
		got, err := Split(in)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", in, err, diff)
		}
	}
}
