//go:build !linux || !amd64

package kvm

import (
	"context"
	"fmt"
	"runtime"
)

func probe(context.Context) Result {
	return Result{Verdict: None, Evidence: fmt.Sprintf("KVM is not used on %s/%s", runtime.GOOS, runtime.GOARCH)}
}
