// Command standalone runs package fakegithub as a process of its own, for
// experiments that kill the app, or GitHub, with SIGKILL:
//
//	go run ./test/fakegithub/standalone -repo octo-lab/kernel=DIR \
//	  -webhook http://127.0.0.1:8080/hook -secret s -key app.pem
//
// It prints one JSON object with its addresses and ids, and then one for each
// violation. It is told what to do over HTTP, at the address "control":
//
//	POST /pull      {"repo", "branch", "files": {path: text}, "fork"}  commit, open or move the pull request, deliver
//	POST /close     {"repo", "number", "merge"}                        close it and deliver
//	POST /deliver   ?event=NAME&guid=GUID and any body                 deliver it, signed
//	POST /fault     {"kind", "method", "prefix", "skip", "times", "seconds"}
//	GET  /check-runs?repo=OWNER/NAME, /deliveries, /requests, /violations
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// headerTimeout ends a control connection that sends nothing.
const headerTimeout = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakegithub:", err)
		os.Exit(1)
	}
}

// ready is what the command prints first.
type ready struct {
	API           string           `json:"api"`
	Control       string           `json:"control"`
	AppID         int64            `json:"app_id"`
	Installations map[string]int64 `json:"installations"` // account → id
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var o fakegithub.Options
	repos := map[string]string{}
	flags := flag.NewFlagSet("fakegithub", flag.ContinueOnError)
	flags.StringVar(&o.Addr, "addr", "", "address of the API (default 127.0.0.1 and a free port)")
	flags.StringVar(&o.WebhookURL, "webhook", "", "URL that webhooks are delivered to")
	flags.StringVar(&o.WebhookSecret, "secret", "", "secret that signs them")
	control := flags.String("control", "127.0.0.1:0", "address of the control interface")
	key := flags.String("key", "", "file to write the App's private key to")
	flags.Func("repo", "OWNER/NAME=DIR, a repository with the files of a folder; repeatable", func(text string) error {
		name, dir, ok := strings.Cut(text, "=")
		repos[name] = dir
		if !ok {
			return errors.New("want OWNER/NAME=DIR")
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	out := printer{to: stdout}
	o.Violation = func(err error) { out.print(map[string]string{"violation": err.Error()}) }
	s, err := fakegithub.New(ctx, o)
	if err != nil {
		return err
	}
	hello := ready{API: s.URL(), AppID: s.AppID()}
	if hello.Installations, err = populate(s, repos); err == nil && *key != "" {
		err = os.WriteFile(*key, s.PrivateKey(), 0o600)
	}
	if err == nil {
		err = serve(ctx, *control, s, func(address string) {
			hello.Control = address
			out.print(hello)
		})
	}
	return errors.Join(err, s.Close()) //nolint:contextcheck // it runs when ctx has ended, and bounds itself
}

func populate(s *fakegithub.Server, repos map[string]string) (map[string]int64, error) {
	installations := map[string]int64{}
	for name, dir := range repos {
		owner, short, _ := strings.Cut(name, "/")
		if _, ok := installations[owner]; !ok {
			installations[owner] = s.AddInstallation(owner, fakegithub.InstallationOptions{Organization: true}).ID
		}
		if _, err := s.AddRepo(owner, short, dir); err != nil {
			return nil, err
		}
	}
	return installations, nil
}

// serve runs the control interface until ctx ends.
func serve(ctx context.Context, addr string, s *fakegithub.Server, started func(string)) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for control: %w", err)
	}
	server := &http.Server{Handler: controlOf(s), ReadHeaderTimeout: headerTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	started("http://" + listener.Addr().String())
	<-ctx.Done()
	err = server.Close()
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// printer prints JSON objects, one a line.
type printer struct {
	mu sync.Mutex
	to io.Writer
}

func (p *printer) print(v any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = json.NewEncoder(p.to).Encode(v) // who reads no more is not told
}
