package rpc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	pb "github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

func TestTrustReaches(t *testing.T) {
	for _, c := range []struct {
		trust, least Trust
		want         bool
	}{
		{Untrusted, "", true},
		{"", "", true},
		{Untrusted, Untrusted, true},
		{"", Untrusted, true},
		{Untrusted, Approved, false},
		{Approved, Approved, true},
		{Trusted, Approved, true},
		{Approved, Trusted, false},
		{Approved, "a level of the future", false},
		{Trusted, "a level of the future", true},
		{"a level of the future", Approved, false},
	} {
		if got := c.trust.Reaches(c.least); got != c.want {
			t.Errorf("%q reaches %q: %t", c.trust, c.least, got)
		}
	}
}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     bool
	}{{nil, true}, {[]string{"o/*"}, true}, {[]string{"x/y", "o/r"}, true}, {[]string{"*"}, false}, {[]string{"o"}, false}, {[]string{"["}, false}} {
		if got := Allowed(c.patterns, "o/r"); got != c.want {
			t.Errorf("%q: %t", c.patterns, got)
		}
	}
}

// There and back again, over the wire's bytes.
func TestRoundTrip(t *testing.T) {
	over := func(in, out proto.Message) {
		t.Helper()
		b, err := proto.Marshal(in)
		if err == nil {
			err = proto.Unmarshal(b, out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a := Announcement{
		Version: "v1", Leases: []string{"l"}, Repositories: []string{"o/*"},
		Targets: []Target{{Name: "n", Type: "t", Tags: []string{"a", "b"}, Trust: Approved, Health: Maintenance}},
	}
	var watch pb.WatchRequest
	over(PutAnnouncement(a), &watch)
	if got, err := GetAnnouncement(&watch); err != nil || !cmp.Equal(got, a) {
		t.Errorf("%v, %s", err, cmp.Diff(a, got))
	}
	for _, m := range []any{
		Assignment{
			Lease: "l", Run: "r", Attempt: 2, Target: "t", Name: "n", Job: []byte("a: \xff"), Trust: Trusted,
			Source: Source{Repository: "o/r", Ref: "f", Commit: "c", PullRequest: 7},
			Lists:  Lists{KnownFailures: []byte("k"), KernelLog: []byte("a"), TestRetries: 2},
		},
		Assignment{Lease: "of an older app", Trust: Untrusted},
		Cancel{Lease: "l", Reason: "because"},
		Keepalive{Version: "v"},
	} {
		var in *pb.WatchResponse
		switch m := m.(type) {
		case Assignment:
			in = PutAssignment(m)
		case Cancel:
			in = PutCancel(m)
		case Keepalive:
			in = PutKeepalive(m)
		}
		var out pb.WatchResponse
		over(in, &out)
		if diff := cmp.Diff(m, GetMessage(&out)); diff != "" {
			t.Error(diff)
		}
	}
	o := Outcome{Lease: "l", Verdict: "fail", Class: "test", Message: "m", Complete: true, Sizes: map[Stream]int64{Console: 3, Events: 0}}
	var finish pb.FinishRequest
	over(PutOutcome(o), &finish)
	if diff := cmp.Diff(o, GetOutcome(&finish)); diff != "" {
		t.Error(diff)
	}
}

// What a newer version may say is skipped, or taken for the most careful word.
func TestNewerVersion(t *testing.T) {
	// A message with field numbers that this version does not have: 100, a string, beside a known one.
	newer := PutKeepalive(Keepalive{Version: "v2"})
	newer.ProtoReflect().SetUnknown([]byte{0xa2, 0x06, 3, 'n', 'e', 'w'})
	b, err := proto.Marshal(newer)
	if err != nil {
		t.Fatal(err)
	}
	var got pb.WatchResponse
	if err := proto.Unmarshal(b, &got); err != nil || GetMessage(&got) != (Keepalive{Version: "v2"}) {
		t.Errorf("unknown field: %v, %v", GetMessage(&got), err)
	}
	if m := GetMessage(&pb.WatchResponse{}); m != nil {
		t.Errorf("unknown message: %v", m)
	}
	targets, err := GetTargets([]*pb.Target{{Name: "a", Type: "t", Health: "radiant"}, {Name: "b", Type: "t"}})
	if err != nil || targets[0].Health != Bad || targets[1].Health != Good {
		t.Errorf("health: %+v, %v", targets, err)
	}
	if a, ok := GetMessage(PutAssignment(Assignment{Trust: "divine"})).(Assignment); !ok || a.Trust != Untrusted {
		t.Errorf("trust: %+v", a)
	}
}

func TestGetTargetsRefuses(t *testing.T) {
	many := make([]*pb.Target, maxTargets+1)
	for what, in := range map[string][]*pb.Target{
		"no name":   {{Type: "t"}},
		"no type":   {{Name: "n"}},
		"empty tag": {{Name: "n", Type: "t", Tags: []string{""}}},
		"long":      {{Name: strings.Repeat("n", maxName+1), Type: "t"}},
		"control":   {{Name: "n\x1b[2J", Type: "t"}},
		"twice":     {{Name: "n", Type: "t"}, {Name: "n", Type: "t"}},
		"many tags": {{Name: "n", Type: "t", Tags: make([]string, maxTags+1)}},
		"many":      many,
	} {
		if _, err := GetTargets(in); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	if _, err := GetAnnouncement(&pb.WatchRequest{Allow: &pb.Allow{Repositories: []string{"["}}}); err == nil {
		t.Error("bad pattern: accepted")
	}
}
