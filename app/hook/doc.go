// Package hook accepts GitHub's webhooks. The signature of a delivery is checked on its raw bytes; then the delivery is
// stored and queued in one transaction; then it is answered 202. Nothing is parsed before the signature is checked, and
// nothing is lost after the answer. Packages trigger and work decide what the delivery means.
package hook
