package cli_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gantry-ci/gantry/cli"
	"github.com/gantry-ci/gantry/test/guest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gantry": func() { os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the commands as users do. $IMAGES has a kernel and a ramdisk, for scripts that boot.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			dir, err := guest.Dir()
			if err == nil && !testing.Short() {
				_, err = guest.Make(t.Context(), dir)
			}
			e.Setenv("IMAGES", dir)
			shared, aerr := filepath.Abs("../../shared")
			if aerr == nil {
				e.Setenv("SHARED", shared)
			}
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"envsubst": func(ts *testscript.TestScript, _ bool, args []string) { // put the environment into files
				for _, name := range args {
					path := ts.MkAbs(name)
					ts.Check(os.WriteFile(path, []byte(os.Expand(ts.ReadFile(path), ts.Getenv)), 0o600))
				}
			},
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "qemu":
				_, err := exec.LookPath("qemu-system-x86_64")
				return err == nil && !testing.Short(), nil
			case "shared":
				_, err := os.Stat("../../shared/corpus")
				return err == nil, nil
			}
			return false, nil
		},
	})
}
