// Package kvm finds out whether KVM really executes a guest here. /dev/kvm may be there, open, and yet be useless
// (nested hosts that emulate every instruction), so Probe runs a 64-bit guest of a few dozen bytes and times it.
package kvm

import (
	"context"
	"time"
)

// Verdict says what KVM is good for on this host.
type Verdict string

// The verdicts. Only hw is worth using: a slow KVM loses to QEMU's own translation (TCG), and hangs besides.
const (
	HW   Verdict = "hw"   // guests run on the processor
	Slow Verdict = "slow" // guests run, but instruction by instruction
	None Verdict = "none" // guests do not run
)

// Result is a verdict with its evidence. The zero value is no verdict; Usable is false for it.
type Result struct {
	Verdict   Verdict `json:"verdict"`
	Evidence  string  `json:"evidence"`   // for people: "KVM_RUN: exit reason INTERNAL_ERROR, suberror 1"
	ElapsedMS float64 `json:"elapsed_ms"` // of the whole probe
}

// Usable says whether guests should be started with KVM.
func (r Result) Usable() bool { return r.Verdict == HW }

// limit bounds the probe: on real hardware it ends within some milliseconds, also on a busy host.
const limit = time.Second

// grace is how long a signaled KVM_RUN may take to come back before its thread is left behind.
const grace = 50 * time.Millisecond

// Probe runs the guest. It answers within a second, or when ctx ends, whatever the kernel does: the guest has a thread
// of its own that is signaled at the deadline, and left behind should even that not bring it back from the kernel. The
// answer holds as long as the process lives, so call it once and keep the result.
func Probe(ctx context.Context) Result {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	r := probe(ctx)
	r.ElapsedMS = float64(time.Since(start).Microseconds()) / 1000
	return r
}
