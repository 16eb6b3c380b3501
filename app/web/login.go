package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Login admits requests with the token: as the password of HTTP basic authentication with any user name, for browsers,
// or as a bearer token, for programs.
func Login(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token)) // hashes have equal lengths, so the comparison takes equal time
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, shown, ok := r.BasicAuth()
		if !ok {
			shown, ok = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		if got := sha256.Sum256([]byte(shown)); !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="gantry", charset="UTF-8"`)
			http.Error(w, "the lab's pages want its token as the password", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
