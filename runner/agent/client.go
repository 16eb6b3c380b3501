package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/gantry-ci/gantry/internal/atomicfile"
	"github.com/gantry-ci/gantry/internal/clock"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

const (
	// callTimeout is for a unary call: a batch of 768 KiB needs 26 KB/s.
	callTimeout = 30 * time.Second
	// The limit of the wait between tries doubles from firstWait to longestWait. A wait is drawn at random between zero
	// and the limit, so that a thousand runners do not come back at once when the app restarts. longestWait leaves a
	// runner two tries within the time of a lease.
	firstWait   = 250 * time.Millisecond
	longestWait = 12 * time.Second
)

// backoff is the wait before try n, from 0.
func backoff(n int, rnd func() float64) time.Duration {
	top := longestWait
	if n < 10 {
		top = min(longestWait, firstWait<<n)
	}
	return time.Duration(rnd() * float64(top))
}

// wait waits before try n. It is false when ctx ends.
func (a *Agent) wait(ctx context.Context, n int) bool {
	return clock.Sleep(ctx, backoff(n, a.o.Rand)) == nil && ctx.Err() == nil
}

// authTransport adds the credential to requests.
type authTransport struct {
	next http.RoundTripper
	auth *credential
}

// RoundTrip sends the request with the credential, once there is one.
func (t authTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if h := t.auth.header.Load(); h != nil {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", *h)
	}
	return t.next.RoundTrip(r)
}

// newClient makes the client of the app at o.Server.
func newClient(o Options, auth *credential) gantryv1.RunnerServiceClient {
	server, h2c := strings.CutPrefix(o.Server, "h2c://")
	if h2c {
		server = "http://" + server
	}
	c := http.Client{}
	if o.HTTP != nil {
		c = *o.HTTP
	}
	next := c.Transport
	if next == nil {
		p := &http.Protocols{}
		p.SetHTTP1(!h2c)
		p.SetHTTP2(!h2c)
		p.SetUnencryptedHTTP2(h2c)
		next = &http.Transport{
			Proxy: http.ProxyFromEnvironment, Protocols: p, ForceAttemptHTTP2: !h2c,
			TLSHandshakeTimeout: callTimeout, IdleConnTimeout: 90 * time.Second,
			// A dead connection must be found before many calls time out on it.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
		}
	}
	c.Transport = authTransport{next, auth}
	return gantryv1.NewRunnerServiceClient(&c, strings.TrimSuffix(server, "/"), connect.WithReadMaxBytes(rpc.MaxMessage))
}

// writeJSON replaces the file at path, all or nothing, also through a power cut.
func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return atomicfile.WriteBytes(path, 0o600, append(b, '\n'))
}
