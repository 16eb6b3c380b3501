// Command gantry is a GitHub App with a hardware lab behind it: app, runner and client in one binary.
package main

import (
	"context"
	"os"

	"github.com/gantry-ci/gantry/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
