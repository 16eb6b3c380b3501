package rpc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/gantry-ci/gantry/jobs/lab"
	pb "github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

func TestTrustReaches(t *testing.T) {
	for _, c := range []struct {
		trust, least lab.Trust
		want         bool
	}{
		{lab.Untrusted, "", true},
		{"", "", true},
		{lab.Untrusted, lab.Untrusted, true},
		{"", lab.Untrusted, true},
		{lab.Untrusted, lab.Approved, false},
		{lab.Approved, lab.Approved, true},
		{lab.Trusted, lab.Approved, true},
		{lab.Approved, lab.Trusted, false},
		{lab.Approved, "a level of the future", false},
		{lab.Trusted, "a level of the future", true},
		{"a level of the future", lab.Approved, false},
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
	}{
		{nil, true},
		{[]string{"o/*"}, true},
		{[]string{"x/y", "o/r"}, true},
		{[]string{"*"}, false},
		{[]string{"o"}, false},
		{[]string{"["}, false},
	} {
		if got := lab.Allowed(c.patterns, "o/r"); got != c.want {
			t.Errorf("%q: %t", c.patterns, got)
		}
	}
}

// All types survive the conversion to the wire's bytes and back.
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
	a := lab.Announcement{
		Version: "v1", Leases: []string{"l"}, Repositories: []string{"o/*"},
		Targets: []lab.Target{{Name: "n", Type: "t", Tags: []string{"a", "b"}, Trust: lab.Approved, Health: lab.Maintenance}},
	}
	var watch pb.WatchRequest
	over(PutAnnouncement(a), &watch)
	if got, err := GetAnnouncement(&watch); err != nil || !cmp.Equal(got, a) {
		t.Errorf("%v, %s", err, cmp.Diff(a, got))
	}
	for _, m := range []any{
		lab.Assignment{
			Lease: "l", Run: "r", Attempt: 2, Target: "t", Name: "n", Job: []byte("a: \xff"), Trust: lab.Trusted,
			Source: lab.Source{Repository: "o/r", Ref: "f", Commit: "c", PullRequest: 7},
			Lists:  lab.Lists{KnownFailures: []byte("k"), KernelLog: []byte("a"), TestRetries: 2},
		},
		lab.Assignment{Lease: "of an older app", Trust: lab.Untrusted},
		lab.Cancel{Lease: "l", Reason: "because"},
		lab.Keepalive{Version: "v"},
	} {
		var in *pb.WatchResponse
		switch m := m.(type) {
		case lab.Assignment:
			in = PutAssignment(m)
		case lab.Cancel:
			in = PutCancel(m)
		case lab.Keepalive:
			in = PutKeepalive(m)
		}
		var out pb.WatchResponse
		over(in, &out)
		if diff := cmp.Diff(m, GetMessage(&out)); diff != "" {
			t.Error(diff)
		}
	}
	o := lab.Outcome{
		Lease: "l", Verdict: "fail", Class: "test", Message: "m", Complete: true,
		Sizes: map[lab.Stream]int64{lab.Console: 3, lab.Events: 0, lab.ConsoleStream("uart1"): 7},
	}
	var finish pb.FinishRequest
	over(PutOutcome(o), &finish)
	if diff := cmp.Diff(o, GetOutcome(&finish)); diff != "" {
		t.Error(diff)
	}
}

// What only a newer version knows is skipped, or becomes the most careful word.
func TestNewerVersion(t *testing.T) {
	// A message with a field that this version does not have: number 100, a string.
	newer := PutKeepalive(lab.Keepalive{Version: "v2"})
	newer.ProtoReflect().SetUnknown([]byte{0xa2, 0x06, 3, 'n', 'e', 'w'})
	b, err := proto.Marshal(newer)
	if err != nil {
		t.Fatal(err)
	}
	var got pb.WatchResponse
	if err := proto.Unmarshal(b, &got); err != nil || GetMessage(&got) != (lab.Keepalive{Version: "v2"}) {
		t.Errorf("unknown field: %v, %v", GetMessage(&got), err)
	}
	if m := GetMessage(&pb.WatchResponse{}); m != nil {
		t.Errorf("unknown message: %v", m)
	}
	targets, err := GetTargets([]*pb.Target{{Name: "a", Type: "t", Health: "radiant"}, {Name: "b", Type: "t"}})
	if err != nil || targets[0].Health != lab.Bad || targets[1].Health != lab.Good {
		t.Errorf("health: %+v, %v", targets, err)
	}
	if a, ok := GetMessage(PutAssignment(lab.Assignment{Trust: "divine"})).(lab.Assignment); !ok ||
		a.Trust != lab.Untrusted {
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
