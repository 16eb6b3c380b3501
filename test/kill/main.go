// Command kill kills app and runner with SIGKILL at random moments of a run, each in its own process, and prints what
// became of it: whether there is exactly one check run and it is completed, how many attempts it took, and whether a
// QEMU outlived its runner.
//
//	go run ./test/kill -n 50 app
//	go run ./test/kill -n 50 runner
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	n := flag.Int("n", 50, "how many runs")
	seed := flag.Uint64("seed", 1, "of the moments")
	span := flag.Duration("span", 7*time.Second, "a kill falls between the webhook and this much later")
	keep := flag.String("dir", "", "keep logs here instead of a temporary folder")
	flag.Parse()
	victim := flag.Arg(0)
	if flag.NArg() != 1 || victim != "app" && victim != "runner" {
		fmt.Fprintln(os.Stderr, "usage: kill [-n RUNS] app|runner")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	bad, err := experiment(ctx, victim, *n, *span, *keep, rand.New(rand.NewPCG(*seed, 0)))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
	if bad > 0 {
		fmt.Fprintf(os.Stderr, "kill: %d of %d runs are not as they must be\n", bad, *n)
		os.Exit(1)
	}
}

// experiment does n runs and returns how many were not as they must be.
func experiment(
	ctx context.Context, victim string, n int, span time.Duration, keep string, random *rand.Rand,
) (bad int, err error) {
	l, err := newLab(ctx, keep)
	if err != nil {
		return 0, err
	}
	defer l.close()
	fmt.Println("| # | killed after | check runs | status | conclusion | attempts | verdict | QEMU left | took |")
	fmt.Println("|--:|--:|--:|---|---|--:|---|--:|--:|")
	for i := range n {
		r, err := l.round(ctx, victim, time.Duration(random.Int64N(int64(span))))
		if err != nil {
			return bad, fmt.Errorf("run %d: %w", i+1, err)
		}
		fmt.Printf("| %d | %.2f s | %d | %s | %s | %d | %s | %d | %.1f s |\n", i+
			1, r.after.Seconds(), r.checks, r.status, r.conclusion,
			r.attempts, r.verdict, r.left, r.took.Seconds())
		if !r.good() {
			bad++
		}
	}
	fmt.Printf("\n%d runs, %d as they must be\n", n, n-bad)
	return bad, nil
}

// result is what became of a run.
type result struct {
	after, took        time.Duration
	checks, attempts   int
	left               int // QEMUs without a runner, a moment after it was killed
	status, conclusion string
	verdict            string
}

func (r result) good() bool {
	return r.checks == 1 && r.status == "completed" && r.conclusion == "success" && r.left == 0
}
