// Command setup makes what tests need beside packages: the kernel and the ramdisk they boot. It prints their paths.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gantry-ci/gantry/test/guest"
)

func main() {
	dir, err := guest.Dir()
	if err == nil {
		var f guest.Files
		if f, err = guest.Make(context.Background(), dir); err == nil {
			fmt.Println(f.Kernel, f.Ramdisk)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "setup:", err)
	os.Exit(1)
}
