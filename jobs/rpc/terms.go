package rpc

import "time"

// Intervals and limits that both sides must know.
const (
	// KeepaliveInterval keeps the stream open through proxies, of which the strictest known cut idle ones after 60 s.
	KeepaliveInterval = 10 * time.Second
	// StreamTimeout is the silence after which a runner gives its stream up and dials again.
	StreamTimeout = 25 * time.Second
	// MaxAppend is the most data in one Append, in bytes: by default, proxies refuse bodies over 1 MB.
	MaxAppend = 768 << 10
	// MaxMessage is the largest message of either side, in bytes. A job definition has at most 1 MiB.
	MaxMessage = 4 << 20
)
