// Package hook takes GitHub's webhooks in. A delivery's signature is checked on its raw bytes, then it is stored and
// queued in one transaction, then answered 202: nothing is parsed before the signature holds, and nothing is lost after
// the answer. What the delivery means is for packages trigger and work.
package hook
