// Command openapi sets up the inputs of the tests against GitHub's interface: it
// fetches GitHub's OpenAPI description and example webhook payloads into a
// cache, and prints where they are.
//
//	go run ./test/openapi -dir .cache/openapi
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/gantry-ci/gantry/test/fakegithub/octokit"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := flag.String("dir", "", "cache to fill (default .cache/openapi of the module)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *dir == "" {
		var err error
		if *dir, err = octokit.Dir(); err != nil {
			return err
		}
	}
	files, err := octokit.Ensure(ctx, *dir)
	if err != nil {
		return err
	}
	fmt.Println(files.OpenAPI)
	fmt.Println(files.Examples)
	fmt.Println(files.Schemas)
	return nil
}
