// Command demo shows the whole product on one machine: GitHub played by test/fakegithub delivers a signed webhook of a
// pull request, app and runner boot a real kernel in QEMU, and the check is read back over HTTP.
//
// It exits non-zero unless there is exactly one check run, its conclusion is $DEMO_EXPECT ("success" when empty), the
// list of cases is exact, and one case returns a hash of this demo's nonce that was computed in the guest. $DEMO_REPO
// is the folder of the repository shown to it; with $DEMO_STAY it keeps running until it is interrupted.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gantry-ci/gantry/cli"
	"github.com/gantry-ci/gantry/test/fakegithub"
	"github.com/gantry-ci/gantry/test/guest"
	"github.com/gantry-ci/gantry/test/scene"
)

// checkTimeout is for a busy machine without KVM: a boot takes 3 to 25 s there, a job that runs into its own limits
// minutes.
const checkTimeout = 15 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := demo(ctx, options{
		repo: cmp.Or(os.Getenv("DEMO_REPO"), "test/demo/repos/pass"), want: cmp.Or(os.Getenv("DEMO_EXPECT"), "success"),
		stay: os.Getenv("DEMO_STAY") != "", verbose: os.Getenv("DEMO_VERBOSE") != "", out: os.Stdout,
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// options are one demo's.
type options struct {
	repo, want    string
	stay, verbose bool
	out           io.Writer
	look          func(ctx context.Context, page string) error // at the check's page, before everything ends; may be nil
}

func demo(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "gantry-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &demonstration{options: o, dir: dir, nonce: rand.Text()}
	s.Scene, err = scene.Open(ctx, dir, o.repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Hub.Close()) }() //nolint:contextcheck // it bounds itself
	if s.pull, err = s.Pull(s.nonce); err != nil {
		return err
	}
	lab, err := s.lab(ctx)
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	lab.Ready = func(addr string) error {
		s.Hub.SetWebhook("http://"+addr+"/hook", s.secret)
		close(ready)
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return cli.ServeLab(ctx, lab) })
	g.Go(func() error {
		defer cancel()
		select {
		case <-ready:
			return s.play(ctx)
		case <-ctx.Done():
			return nil
		}
	})
	return g.Wait()
}

// demonstration is one demo.
type demonstration struct {
	options
	*scene.Scene
	dir, nonce, secret string

	pull fakegithub.Pull
}

// lab is app and runner as gantry dev has them.
func (s *demonstration) lab(ctx context.Context) (cli.Lab, error) {
	images, err := guest.Dir()
	if err == nil {
		_, err = guest.Make(ctx, images)
	}
	if err != nil {
		return cli.Lab{}, err
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return cli.Lab{}, err
	}
	level := slog.LevelWarn
	if s.verbose {
		level = slog.LevelDebug
	}
	lab, err := cli.Dev(cli.DevOptions{
		Dir: s.dir + "/lab", Listen: addr, GitHubURL: s.Hub.URL(), AppID: s.Hub.AppID(), PrivateKey: s.Hub.PrivateKey(),
		FileRoots: []string{images}, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	})
	if err == nil {
		s.secret = lab.App.WebhookSecrets[0]
	}
	return lab, err
}

// freeAddr is an address nobody listens on; the app's own URL must be known before it listens.
func freeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// play delivers the webhook, waits for the check, and looks at it.
func (s *demonstration) play(ctx context.Context) error {
	start := time.Now()
	d, err := s.Opened(ctx, s.pull)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "pull_request delivered, answered %d after %s\n", d.Status, d.Duration.Round(time.Microsecond))
	run, err := s.completed(ctx)
	if err != nil {
		return err
	}
	took := time.Since(start)
	out, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(
		s.out, "%s\n%s: %s after %s\n%s\n", out, run.Name, run.Conclusion, took.Round(time.Millisecond), run.DetailsURL,
	)
	err = s.compare(ctx, run)
	if err == nil && s.look != nil {
		err = s.look(ctx, run.DetailsURL)
	}
	if err == nil {
		fmt.Fprintln(s.out, "the demo is as expected:", s.want)
	}
	if s.stay {
		fmt.Fprintln(s.out, "staying; interrupt to end")
		<-ctx.Done()
	}
	return err
}
