package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/jobs/rpc"
	"github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/agent"
)

// client speaks the wire by hand, as a broken or hostile runner would.
type client struct {
	gantryv1.RunnerServiceClient
	id     string
	secret string
}

func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if c.id != "" {
		r.Header.Set("Authorization", "Bearer "+c.id+"."+c.secret)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// at is the service at another address.
func (c *client) at(addr string) gantryv1.RunnerServiceClient {
	return gantryv1.NewRunnerServiceClient(&http.Client{Transport: c}, "http://"+addr)
}

func (l *testLab) client(t testing.TB, name string) *client {
	t.Helper()
	c := &client{secret: "secret of " + name}
	c.RunnerServiceClient = c.at(l.addr)
	if name == "" {
		return c
	}
	token, err := l.store.NewEnrollment(t.Context(), "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Enroll(t.Context(), &gantryv1.EnrollRequest{
		Token: token, Name: name, SecretHash: store.HashSecret(c.secret),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.id = res.GetRunner()
	return c
}

// watch opens a stream and reads its first message.
func (c *client) watch(
	t testing.TB, ctx context.Context, target string, //nolint:revive // t first, as everywhere in tests
) *connect.ServerStreamForClient[gantryv1.WatchResponse] {
	t.Helper()
	s, err := c.Watch(ctx, rpc.PutAnnouncement(lab.Announcement{
		Version: "v9", Targets: []lab.Target{{Name: target, Type: "qemu"}},
	}))
	if err != nil || !s.Receive() {
		t.Fatalf("watch: %v, %v", err, s.Err())
	}
	return s
}

func assignment(t testing.TB, s *connect.ServerStreamForClient[gantryv1.WatchResponse]) lab.Assignment {
	t.Helper()
	for s.Receive() {
		if a, ok := rpc.GetMessage(s.Msg()).(lab.Assignment); ok {
			return a
		}
	}
	t.Fatalf("no assignment: %v", s.Err())
	return lab.Assignment{}
}

func wantCode(t testing.TB, what string, want connect.Code, err error) {
	t.Helper()
	if err == nil || connect.CodeOf(err) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func TestCredentials(t *testing.T) {
	l, ctx := newLab(t), t.Context()
	token, err := l.store.NewEnrollment(ctx, "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	anybody := l.client(t, "")
	enroll := func(token, name, secret string) (string, error) {
		r, err := anybody.Enroll(ctx, &gantryv1.EnrollRequest{Token: token, Name: name, SecretHash: store.HashSecret(secret)})
		return r.GetRunner(), err
	}
	_, err = enroll("gantry-enroll-guess", "r", "s")
	wantCode(t, "guessed token", connect.CodePermissionDenied, err)
	_, err = anybody.Enroll(ctx, &gantryv1.EnrollRequest{Token: token, Name: "r", SecretHash: "plain"})
	wantCode(t, "no hash", connect.CodeInvalidArgument, err)
	_, err = anybody.Enroll(ctx, &gantryv1.EnrollRequest{Token: token, Name: "r\n", SecretHash: store.HashSecret("s")})
	wantCode(t, "bad name", connect.CodeInvalidArgument, err)
	id, err := enroll(token, "r", "s")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := enroll(token, "r", "s"); err != nil || again != id {
		t.Errorf("enrolled again after a lost answer: %q, %v", again, err)
	}
	_, err = enroll(token, "r", "stolen")
	wantCode(t, "used token", connect.CodePermissionDenied, err)

	token, _ = l.store.NewEnrollment(ctx, "", time.Hour)
	_, err = enroll(token, "r", "thief")
	wantCode(t, "name of another", connect.CodePermissionDenied, err)
	token, _ = l.store.NewEnrollment(ctx, "q", time.Hour)
	_, err = enroll(token, "r", "thief")
	wantCode(t, "token of another", connect.CodePermissionDenied, err)
	token, _ = l.store.NewEnrollment(ctx, "q", -time.Second)
	_, err = enroll(token, "q", "late")
	wantCode(t, "old token", connect.CodePermissionDenied, err)

	for what, c := range map[string]*client{
		"nobody": {}, "unknown": {id: "x", secret: "s"}, "wrong secret": {id: id, secret: "t"},
	} {
		anybody.id, anybody.secret = c.id, c.secret
		_, err = anybody.Heartbeat(ctx, &gantryv1.HeartbeatRequest{})
		wantCode(t, what, connect.CodeUnauthenticated, err)
		s, err := anybody.Watch(ctx, &gantryv1.WatchRequest{})
		if err == nil && !s.Receive() {
			err = s.Err()
		}
		wantCode(t, what+" watching", connect.CodeUnauthenticated, err)
	}
	anybody.id, anybody.secret = id, "s"
	if _, err = anybody.Heartbeat(ctx, &gantryv1.HeartbeatRequest{}); err != nil {
		t.Error(err)
	}
	token, _ = l.store.NewEnrollment(ctx, "r", time.Hour)
	if again, err := enroll(token, "r", "rotated"); err != nil || again != id {
		t.Errorf("rotated: %q, %v", again, err)
	}
	_, err = anybody.Heartbeat(ctx, &gantryv1.HeartbeatRequest{})
	wantCode(t, "replaced secret", connect.CodeUnauthenticated, err)
}

// Offsets, gaps, resends; what is not held is refused; an end is told once, or again.
func TestFencing(t *testing.T) {
	l, ctx := newLab(t), t.Context()
	a, b := l.client(t, "a"), l.client(t, "b")
	id := l.create(t)
	lease := assignment(t, a.watch(t, ctx, "x")).Lease
	put := func(c *client, offset int64, data string) (int64, error) {
		r, err := c.Append(ctx, &gantryv1.AppendRequest{Lease: lease, Stream: "console", Offset: offset, Data: []byte(data)})
		return r.GetAcknowledged(), err
	}
	for i, c := range []struct {
		offset int64
		data   string
		want   int64
	}{{0, "hello", 5}, {0, "hello", 5}, {3, "lo, w", 8}, {100, "gap", 8}, {8, "orld", 12}, {-3, "x", 12}, {0, "", 12}} {
		if got, err := put(a, c.offset, c.data); err != nil || got != c.want {
			t.Errorf("append %d: %d, %v; want %d", i, got, err, c.want)
		}
	}
	if got := l.stream(t, id, 1, lab.Console); got != "hello, world" {
		t.Errorf("console %q", got)
	}
	_, err := put(b, 12, "forged")
	wantCode(t, "append by another", connect.CodeFailedPrecondition, err)
	_, err = b.Finish(ctx, &gantryv1.FinishRequest{Lease: lease, Verdict: results.VerdictPass, Complete: true})
	wantCode(t, "finish by another", connect.CodeFailedPrecondition, err)
	_, err = b.Report(ctx, &gantryv1.ReportRequest{Lease: lease})
	wantCode(t, "report by another", connect.CodeFailedPrecondition, err)
	_, err = a.Append(ctx, &gantryv1.AppendRequest{Lease: lease, Stream: "../../etc", Data: []byte("x")})
	wantCode(t, "unknown stream", connect.CodeInvalidArgument, err)
	_, err = put(a, 12, strings.Repeat("x", rpc.MaxAppend+1))
	wantCode(t, "large batch", connect.CodeInvalidArgument, err)
	_, err = put(a, 12, strings.Repeat("x", rpc.MaxMessage))
	wantCode(t, "large message", connect.CodeResourceExhausted, err)

	// It says pass; its record does not.
	if _, err = a.Finish(
		ctx, &gantryv1.FinishRequest{Lease: lease, Verdict: results.VerdictPass, Complete: true},
	); err != nil {
		t.Fatal(err)
	}
	if _, err = a.Finish(
		ctx, &gantryv1.FinishRequest{Lease: lease, Verdict: results.VerdictPass, Complete: true},
	); err != nil {
		t.Errorf("finish again: %v", err)
	}
	_, err = put(a, 12, "late")
	wantCode(t, "append to a finished one", connect.CodeFailedPrecondition, err)
	attempts, err := l.store.Attempts(ctx, id)
	if err != nil || attempts[0].Verdict.Verdict != results.VerdictIncomplete ||
		attempts[0].Class != results.ClassInfrastructure {
		t.Errorf("attempts %+v, %v", attempts, err)
	}

	// The second attempt is silent, and comes back too late.
	l.wait(t, id, "running", func(r store.Run, _ []store.Attempt) bool {
		return r.State == store.RunRunning && r.Attempts == 2
	})
	attempts, err = l.store.Attempts(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	lease = attempts[1].LeaseID
	if _, err := put(a, 0, "second"); err != nil {
		t.Fatal(err)
	}
	l.ahead.Add(int64(lab.LeaseTimeout + time.Second))
	l.wait(t, id, "completed", completed)
	_, err = put(a, 6, "late")
	wantCode(t, "append to a lost one", connect.CodeFailedPrecondition, err)
	_, err = a.Finish(ctx, &gantryv1.FinishRequest{Lease: lease, Verdict: results.VerdictPass, Complete: true})
	wantCode(t, "finish a lost one", connect.CodeFailedPrecondition, err)
	beat, err := a.Heartbeat(ctx, &gantryv1.HeartbeatRequest{Leases: []string{lease, "nonsense"}})
	if lost, _ := rpc.GetHeartbeat(beat); err != nil || len(lost) != 2 {
		t.Errorf("lost %v, %v", lost, err)
	}
	if got := l.stream(t, id, 2, lab.Console); got != "second" {
		t.Errorf("console %q", got)
	}
}

// An attempt that never reached its runner does not count.
func TestNeverArrived(t *testing.T) {
	l, ctx := newLab(t), t.Context()
	a := l.client(t, "a")
	s := a.watch(t, ctx, "x")
	id := l.create(t)
	first := assignment(t, s)
	l.ahead.Add(int64(lab.LeaseTimeout + time.Second)) // not a word about it
	run, attempts := l.wait(t, id, "queued again", func(r store.Run, _ []store.Attempt) bool {
		return r.State == store.RunQueued
	})
	if run.Attempts != 0 || len(attempts) != 0 {
		t.Errorf("%+v, attempts %+v", run, attempts)
	}
	second := assignment(t, a.watch(t, ctx, "x"))
	if second.Attempt != 1 || second.Lease == first.Lease {
		t.Errorf("second: %+v", second)
	}
	_, err := a.Append(ctx, &gantryv1.AppendRequest{Lease: first.Lease, Stream: "console", Data: []byte("late")})
	wantCode(t, "append to the first", connect.CodeFailedPrecondition, err)
}

// A newer stream of a runner ends the older one, and is told what the older may not have brought.
func TestTakeOver(t *testing.T) {
	l, ctx := newLab(t), t.Context()
	a := l.client(t, "a")
	older := a.watch(t, ctx, "x")
	l.create(t)
	first := assignment(t, older)
	newer := a.watch(t, ctx, "x")
	for older.Receive() {
	}
	wantCode(t, "older stream", connect.CodeAborted, older.Err())
	if again := assignment(t, newer); again.Lease != first.Lease {
		t.Errorf("%+v, want %+v", again, first)
	}
	if err := newer.Close(); err != nil {
		t.Log(err)
	}
	l.runner(t, "b", "http://"+l.addr, func(o *agent.Options) {
		o.Targets = func() []lab.Target { return []lab.Target{{Name: "y", Type: "qemu", Tags: []string{"special"}}} }
	})
	// The first runner is gone, its target is no longer offered: the next run goes to the other.
	run, attempts := l.wait(t, l.create(t), "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass || attempts[0].Runner != "b" {
		t.Errorf("%+v, attempts %+v", run, attempts)
	}
}

// A runner that does not read its stream holds up nobody.
func TestSlowStream(t *testing.T) {
	l := newLab(t)
	slow := l.client(t, "slow")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	var targets []lab.Target
	for i := range 50 {
		targets = append(targets, lab.Target{Name: fmt.Sprintf("slow-%d", i), Type: "slow"})
	}
	body, err := protojson.Marshal(rpc.PutAnnouncement(lab.Announcement{Targets: targets}))
	if err != nil {
		t.Fatal(err)
	}
	// A Connect stream's request: an envelope of five bytes before the message.
	envelope := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body)))
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s.%s\r\n"+
		"Content-Type: application/connect+json\r\nConnect-Protocol-Version: 1\r\nContent-Length: %d\r\n\r\n%s%s",
		gantryv1.RunnerServiceWatchProcedure, slow.id, slow.secret, len(envelope)+len(body), envelope, body)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 12)
	if _, err := io.ReadFull(conn, first); err != nil || string(first) != "HTTP/1.1 200" {
		t.Fatalf("%q, %v", first, err)
	}
	// It reads no more. 50 jobs of 500 kB are more than the sockets take. They are queued and leased at once: the app
	// gives the stream up after 20 s.
	large := func(s *store.RunSpec) {
		s.TargetType, s.Job = "slow", bytes.Repeat([]byte("# padding\n"), 50_000)
	}
	stuck := l.createMany(t, len(targets), large)
	l.wait(t, stuck[len(stuck)-1], "leased", func(r store.Run, _ []store.Attempt) bool {
		return r.State == store.RunRunning
	})
	l.runner(t, "quick", "http://"+l.addr)
	began := time.Now()
	run, _ := l.wait(t, l.create(t), "completed", completed)
	if run.Verdict.Verdict != results.VerdictPass ||
		time.Since(began) > 15*time.Second { // not 20 s, after which it would be given up
		t.Errorf("%+v after %s", run, time.Since(began))
	}
}
