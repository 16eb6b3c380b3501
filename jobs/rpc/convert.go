package rpc

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/gantry-ci/gantry/jobs/lab"
	pb "github.com/gantry-ci/gantry/jobs/rpc/gantryv1"
)

// Limits of what a runner may announce.
const (
	maxTargets = 1000
	maxTags    = 100
	maxName    = 200 // bytes of any name

	maxTestRetries = 5 // more would hold a target for hours
)

// PutTargets makes the wire's form of targets.
func PutTargets(targets []lab.Target) []*pb.Target {
	out := make([]*pb.Target, len(targets))
	for i, t := range targets {
		out[i] = &pb.Target{Name: t.Name, Type: t.Type, Tags: t.Tags, Trust: string(t.Trust), Health: string(t.Health)}
	}
	return out
}

// GetTargets checks and converts announced targets.
func GetTargets(in []*pb.Target) ([]lab.Target, error) {
	if len(in) > maxTargets {
		return nil, fmt.Errorf("announce %d targets: at most %d", len(in), maxTargets)
	}
	out, seen := make([]lab.Target, len(in)), map[string]bool{}
	for i, t := range in {
		for _, name := range append([]string{t.GetName(), t.GetType()}, t.GetTags()...) {
			if err := CheckName(name); err != nil {
				return nil, fmt.Errorf("announce target %.40q: %w", t.GetName(), err)
			}
		}
		if len(t.GetTags()) > maxTags {
			return nil, fmt.Errorf("announce target %q: %d tags, at most %d", t.GetName(), len(t.GetTags()), maxTags)
		}
		if seen[t.GetName()] {
			return nil, fmt.Errorf("announce target %q: named twice", t.GetName())
		}
		seen[t.GetName()] = true
		out[i] = lab.Target{
			Name: t.GetName(), Type: t.GetType(), Tags: t.GetTags(),
			Trust: lab.Trust(t.GetTrust()), Health: health(t.GetHealth()),
		}
	}
	return out, nil
}

// health converts a word; one that only a newer runner knows becomes the most careful one.
func health(s string) lab.Health {
	switch h := lab.Health(s); h {
	case "":
		return lab.Good
	case lab.Good, lab.Unknown, lab.Bad, lab.Maintenance:
		return h
	default:
		return lab.Bad
	}
}

// CheckName refuses a name that is empty, long or holds control characters.
func CheckName(s string) error {
	if s == "" || len(s) > maxName {
		return fmt.Errorf("a name has 1 to %d bytes", maxName)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return errors.New("a name holds no control characters")
		}
	}
	return nil
}

// PutAnnouncement makes the wire's form of a.
func PutAnnouncement(a lab.Announcement) *pb.WatchRequest {
	return &pb.WatchRequest{
		Version: a.Version, Targets: PutTargets(a.Targets), Leases: a.Leases,
		Allow: &pb.Allow{Repositories: a.Repositories},
	}
}

// GetAnnouncement checks and converts an announcement.
func GetAnnouncement(r *pb.WatchRequest) (lab.Announcement, error) {
	targets, err := GetTargets(r.GetTargets())
	if err != nil {
		return lab.Announcement{}, err
	}
	repos := r.GetAllow().GetRepositories()
	if len(repos) > maxTargets || len(r.GetLeases()) > maxTargets || len(r.GetVersion()) > maxName {
		return lab.Announcement{}, errors.New("announce runner: too much of something")
	}
	for _, p := range repos {
		if _, err := path.Match(p, ""); err != nil || len(p) > maxName {
			return lab.Announcement{}, fmt.Errorf("announce allow-list: bad pattern %.40q", p)
		}
	}
	return lab.Announcement{Version: r.GetVersion(), Targets: targets, Leases: r.GetLeases(), Repositories: repos}, nil
}

// PutAssignment makes the stream's message of a.
func PutAssignment(a lab.Assignment) *pb.WatchResponse {
	return &pb.WatchResponse{Message: &pb.WatchResponse_Assignment{Assignment: &pb.Assignment{
		Lease: a.Lease, Run: a.Run, Attempt: int32(a.Attempt), Target: a.Target, Name: a.Name, Job: a.Job,
		Trust: string(a.Trust),
		Source: &pb.Source{
			Repository: a.Source.Repository, Ref: a.Source.Ref, Commit: a.Source.Commit, PullRequest: a.Source.PullRequest,
		},
		KnownFailures: a.KnownFailures, KernelLog: a.KernelLog, TestRetries: int32(a.TestRetries),
	}}}
}

// PutCancel makes the stream's message of c.
func PutCancel(c lab.Cancel) *pb.WatchResponse {
	return &pb.WatchResponse{Message: &pb.WatchResponse_Cancel{Cancel: &pb.Cancel{Lease: c.Lease, Reason: c.Reason}}}
}

// PutKeepalive makes the stream's message of k.
func PutKeepalive(k lab.Keepalive) *pb.WatchResponse {
	return &pb.WatchResponse{Message: &pb.WatchResponse_Keepalive{Keepalive: &pb.Keepalive{Version: k.Version}}}
}

// GetMessage converts a message of the stream: to a Keepalive, an Assignment or a Cancel; one that only a newer app
// knows is nil.
func GetMessage(r *pb.WatchResponse) any {
	switch m := r.GetMessage().(type) {
	case *pb.WatchResponse_Keepalive:
		return lab.Keepalive{Version: m.Keepalive.GetVersion()}
	case *pb.WatchResponse_Assignment:
		return getAssignment(m.Assignment)
	case *pb.WatchResponse_Cancel:
		return getCancel(m.Cancel)
	}
	return nil
}

func getAssignment(a *pb.Assignment) lab.Assignment {
	s := a.GetSource()
	out := lab.Assignment{
		Lease: a.GetLease(), Run: a.GetRun(), Attempt: int(a.GetAttempt()), Target: a.GetTarget(), Name: a.GetName(),
		Job: a.GetJob(), Trust: lab.Trust(a.GetTrust()),
		Source: lab.Source{
			Repository: s.GetRepository(), Ref: s.GetRef(), Commit: s.GetCommit(), PullRequest: s.GetPullRequest(),
		},
		Lists: lab.Lists{
			KnownFailures: a.GetKnownFailures(), KernelLog: a.GetKernelLog(),
			TestRetries: min(max(int(a.GetTestRetries()), 0), maxTestRetries),
		},
	}
	if out.Trust != lab.Trusted && out.Trust != lab.Approved {
		out.Trust = lab.Untrusted
	}
	return out
}

func getCancel(c *pb.Cancel) lab.Cancel {
	return lab.Cancel{Lease: c.GetLease(), Reason: c.GetReason()}
}

// GetHeartbeat converts the answer to a heartbeat.
func GetHeartbeat(r *pb.HeartbeatResponse) (lost []string, cancels []lab.Cancel) {
	for _, c := range r.GetCancels() {
		cancels = append(cancels, getCancel(c))
	}
	return r.GetLost(), cancels
}

// PutHeartbeat makes the answer to a heartbeat.
func PutHeartbeat(lost []string, cancels []lab.Cancel) *pb.HeartbeatResponse {
	out := &pb.HeartbeatResponse{Lost: lost}
	for _, c := range cancels {
		out.Cancels = append(out.Cancels, &pb.Cancel{Lease: c.Lease, Reason: c.Reason})
	}
	return out
}

// PutOutcome makes the wire's form of o.
func PutOutcome(o lab.Outcome) *pb.FinishRequest {
	out := &pb.FinishRequest{
		Lease: o.Lease, Verdict: o.Verdict, Class: o.Class, Message: lab.Clip(o.Message), Complete: o.Complete,
	}
	for _, s := range slices.Sorted(maps.Keys(o.Sizes)) {
		out.Sizes = append(out.Sizes, &pb.StreamSize{Stream: string(s), Size: o.Sizes[s]})
	}
	return out
}

// GetOutcome converts the outcome of an attempt.
func GetOutcome(r *pb.FinishRequest) lab.Outcome {
	o := lab.Outcome{
		Lease: r.GetLease(), Verdict: r.GetVerdict(), Class: r.GetClass(), Message: lab.Clip(r.GetMessage()),
		Complete: r.GetComplete(),
		Sizes:    map[lab.Stream]int64{},
	}
	for _, s := range r.GetSizes() {
		if name := lab.Stream(s.GetStream()); name.Known() {
			o.Sizes[name] = s.GetSize()
		}
	}
	return o
}
