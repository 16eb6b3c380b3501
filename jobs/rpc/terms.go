package rpc

import "time"

// The terms of the wire, which both sides must know.
const (
	// KeepaliveInterval keeps the stream open through proxies, which cut idle ones after 60 s at the soonest known.
	KeepaliveInterval = 10 * time.Second
	// StreamTimeout is the silence after which a runner takes its stream for dead and dials again.
	StreamTimeout = 25 * time.Second
	// MaxAppend is the most data in one Append: proxies refuse bodies over 1 MB by default.
	MaxAppend = 768 << 10
	// MaxMessage bounds every message on the wire, from either side. A job definition has at most 1 MiB.
	MaxMessage = 4 << 20
)
