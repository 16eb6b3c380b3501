package fakegithub

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// jwtLife is GitHub's maximum for an App's JWT.
const jwtLife = 10 * time.Minute

// checkJWT checks an App's JWT as GitHub does. On error it returns what GitHub
// answers, and what is really wrong.
func checkJWT(text string, key *rsa.PublicKey, appID int64, now time.Time) (int, string, error) {
	const undecodable = "A JSON web token could not be decoded"
	claims, err := parseJWT(text, key)
	if err != nil {
		return http.StatusUnauthorized, undecodable, err
	}
	if iss := strings.Trim(string(claims.Iss), `"`); iss != fmt.Sprint(appID) {
		return http.StatusNotFound, "Integration not found", fmt.Errorf("iss is %q, the App's id is %d", iss, appID)
	}
	iat, exp := seconds(claims.Iat), seconds(claims.Exp)
	switch {
	case iat.IsZero() || iat.After(now):
		return http.StatusUnauthorized, "'Issued at' claim ('iat') must be an Integer representing the time that the " +
				"assertion was issued",
			fmt.Errorf("iat %q is missing or in the future", claims.Iat)
	case exp.IsZero() || !exp.After(now):
		return http.StatusUnauthorized, "'Expiration time' claim ('exp') must be a numeric value representing the future " +
				"time at which the assertion expires",
			fmt.Errorf("exp %q is missing or past", claims.Exp)
	case exp.Sub(now) > jwtLife || exp.Sub(iat) > jwtLife+time.Minute:
		return http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future",
			fmt.Errorf("exp is %s after now and %s after iat, more than 10 minutes", exp.Sub(now), exp.Sub(iat))
	}
	return 0, "", nil
}

type jwtClaims struct {
	Iss json.RawMessage `json:"iss"`
	Iat json.Number     `json:"iat"`
	Exp json.Number     `json:"exp"`
}

func parseJWT(text string, key *rsa.PublicKey) (jwtClaims, error) {
	var claims jwtClaims
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return claims, errors.New("not a JWT")
	}
	var header struct{ Alg string }
	if err := decodePart(parts[0], &header); err != nil {
		return claims, fmt.Errorf("JWT header: %w", err)
	}
	if header.Alg != "RS256" {
		return claims, fmt.Errorf("JWT algorithm %q is not RS256", header.Alg)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return claims, fmt.Errorf("JWT signature: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return claims, fmt.Errorf("JWT signature: %w", err)
	}
	if err := decodePart(parts[1], &claims); err != nil {
		return claims, fmt.Errorf("JWT claims: %w", err)
	}
	return claims, nil
}

func decodePart(part string, v any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func seconds(n json.Number) time.Time {
	whole, err := n.Int64()
	if err != nil {
		f, ferr := n.Float64()
		if ferr != nil {
			return time.Time{}
		}
		whole = int64(f)
	}
	return time.Unix(whole, 0)
}
