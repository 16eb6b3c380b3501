// Command load runs a command several times beside processes that are busy all the while, and says how often it
// succeeded:
//
//	go run ./test/load -n 10 -busy 8 -- make test TESTFLAGS=-count=1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// role is the environment's variable that makes this program one of the busy processes.
const role = "GANTRY_LOAD_BUSY"

func main() {
	if os.Getenv(role) != "" {
		busy()
		return
	}
	n := flag.Int("n", 1, "how many times to run the command")
	processes := flag.Int("busy", 4*runtime.NumCPU(), "how many processes are busy beside it")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: load [-n TIMES] [-busy PROCESSES] -- COMMAND...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx, *n, *processes, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// run starts the busy processes, runs the command, and ends the processes with it.
func run(ctx context.Context, n, processes int, command []string) (failed int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find this program: %w", err)
	}
	for range processes {
		p := exec.CommandContext(ctx, self)
		p.Env = append(os.Environ(), role+"=1")
		p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := p.Start(); err != nil {
			return 0, fmt.Errorf("start a busy process: %w", err)
		}
		defer func() {
			_ = p.Process.Kill()
			_ = p.Wait() // killed
		}()
	}
	for i := range n {
		start := time.Now()
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err := cmd.Run()
		if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
			return failed, fmt.Errorf("run %s: %w", command[0], err)
		}
		said := "succeeded"
		if err != nil {
			failed++
			said = "failed: " + err.Error()
		}
		fmt.Printf("load: run %d of %d %s after %s, %d failed so far\n",
			i+1, n, said, time.Since(start).Round(time.Second), failed)
		if ctx.Err() != nil {
			break
		}
	}
	return failed, nil
}

// busy computes, and each second it writes a file that has no name, until it is killed: a disk is busy too.
func busy() {
	f, err := os.CreateTemp("", "gantry-load-*")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	block := make([]byte, 8<<20)
	for x := uint64(1); ; {
		for start := time.Now(); time.Since(start) < time.Second; {
			for range 1 << 16 {
				x = x*6364136223846793005 + 1442695040888963407
			}
		}
		for i := range block {
			block[i] = byte(x >> (i % 8 * 8))
		}
		_, _ = f.WriteAt(block, 0) // a full disk is no less busy
	}
}
