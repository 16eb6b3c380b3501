package kvm

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// probe runs the guest on a thread of its own and waits no longer than ctx.
func probe(ctx context.Context) Result {
	var (
		g      = &guest{}
		thread atomic.Int64
		answer = make(chan Result, 1)
	)
	go func() {
		runtime.LockOSThread() // KVM_RUN belongs to a thread; the signal below must reach it
		defer runtime.UnlockOSThread()
		thread.Store(int64(unix.Gettid()))
		answer <- g.run()
	}()
	select {
	case r := <-answer:
		return r
	case <-ctx.Done():
	}
	g.stop.Store(true)
	late := Result{Verdict: None, Evidence: fmt.Sprintf("the test guest did not end in time: %v", context.Cause(ctx))}
	wait := time.NewTimer(grace)
	defer wait.Stop()
	for {
		// SIGURG is the signal the Go runtime itself uses to interrupt threads: it is always handled, and harmless.
		// It is sent again and again, since it has no effect on a thread that has not entered the ioctl yet.
		if tid := int(thread.Load()); tid != 0 {
			_ = unix.Tgkill(unix.Getpid(), tid, unix.SIGURG)
		}
		select {
		case <-answer:
			return late
		case <-wait.C:
			late.Evidence += ", nor when it was interrupted"
			return late
		case <-time.After(time.Millisecond):
		}
	}
}
