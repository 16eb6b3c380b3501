package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// secrets are the webhook secrets that may sign; more than one while they are rotated.
type secrets [][]byte

// errNoSecret: anybody can compute an HMAC with an empty key.
var errNoSecret = errors.New("webhook secret is empty: set one here and in the GitHub App's settings")

func newSecrets(texts []string) (secrets, error) {
	if len(texts) == 0 {
		return nil, errNoSecret
	}
	var s secrets
	for _, t := range texts {
		if strings.TrimSpace(t) == "" {
			return nil, errNoSecret
		}
		s = append(s, []byte(t))
	}
	return s, nil
}

// parseSignature reads the value of X-Hub-Signature-256.
func parseSignature(header string) ([]byte, bool) {
	text, ok := strings.CutPrefix(header, "sha256=")
	if !ok || len(text) != hex.EncodedLen(sha256.Size) {
		return nil, false
	}
	mac, err := hex.DecodeString(text)
	return mac, err == nil
}

// valid reports whether the signature of body was made with one of the secrets.
func (s secrets) valid(signature, body []byte) bool {
	ok := false
	for _, secret := range s { // all of them, so that the time does not tell which
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		ok = hmac.Equal(mac.Sum(nil), signature) || ok
	}
	return ok
}
