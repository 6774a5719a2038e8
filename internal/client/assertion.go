package client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"example.com/foyer/store"
)

// Algorithms of signatures that an assertion may have. There is no shared secret
// among them, and not none.
var Algorithms = []string{"ES256", "EdDSA", "RS256", "PS256"}

const (
	assertionType  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 section 2.2
	assertionLives = 5 * time.Minute                                          // at most
	assertionSlack = time.Hour                                                // how much longer its use is remembered: clocks differ
	clockSkew      = time.Minute                                              // by which a client's clock may be ahead
	maxAssertion   = 16 << 10                                                 // bytes
	maxJTI         = 256                                                      // bytes
)

// An assertion is a JWT by which a client authenticates (RFC 7523 section 3).
// Its subject is what it says, until its signature was verified.
type assertion struct {
	token   *jwt.JSONWebToken
	subject string
}

// readAssertion reads the assertion of cred, and verifies nothing.
func readAssertion(cred Credentials) (assertion, error) {
	text := cred.Assertion.Reveal()
	if cred.AssertionType != assertionType || len(text) > maxAssertion {
		return assertion{}, ErrAssertion
	}
	var algorithms []jose.SignatureAlgorithm
	for _, name := range Algorithms {
		algorithms = append(algorithms, jose.SignatureAlgorithm(name))
	}
	token, err := jwt.ParseSigned(text, algorithms)
	if err != nil {
		return assertion{}, ErrAssertion
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil || claims.Subject == "" {
		return assertion{}, ErrAssertion
	}
	return assertion{token, claims.Subject}, nil
}

// checkAssertion refuses an assertion that does not prove to this server, now
// and for the first time, that it comes from c.
func (cs *Clients) checkAssertion(ctx context.Context, c store.Client, registered Authentication, a assertion) error {
	header := a.token.Headers[0]
	if typ, there := header.ExtraHeaders[jose.HeaderType]; there && typ != "JWT" && typ != "client-authentication+jwt" {
		return ErrAssertion // a JWT that was signed for another purpose
	}
	keys, err := cs.keys(ctx, registered, header.KeyID)
	if err != nil {
		return err
	}
	for _, key := range keys {
		var claims jwt.Claims
		if key.Algorithm != "" && key.Algorithm != header.Algorithm || header.KeyID != "" && key.KeyID != "" && key.KeyID != header.KeyID ||
			a.token.Claims(key.Key, &claims) != nil {
			continue
		}
		if !cs.isFor(c, claims) {
			return ErrAssertion
		}
		return cs.spend(ctx, c.ID, claims)
	}
	return ErrAssertion
}

// isFor reports whether claims say that c speaks to this server, now.
//
// The audience is one value: the issuer, or the token endpoint, which ChatGPT
// sends and RFC 7523 section 3 suggests. It may be the issuer with a slash, as
// the Python SDK spells it.
func (cs *Clients) isFor(c store.Client, claims jwt.Claims) bool {
	audiences := []string{cs.Issuer, cs.Issuer + "/", cs.TokenEndpoint}
	if claims.Issuer != c.ID || claims.Subject != c.ID || len(claims.Audience) != 1 || !slices.Contains(audiences, claims.Audience[0]) ||
		claims.ID == "" || len(claims.ID) > maxJTI || claims.Expiry == nil {
		return false
	}
	now, end := cs.Now(), claims.Expiry.Time()
	switch {
	case !now.Before(end), end.After(now.Add(assertionLives + clockSkew)):
		return false
	case claims.IssuedAt != nil && (claims.IssuedAt.Time().After(now.Add(clockSkew)) || claims.IssuedAt.Time().Before(now.Add(-assertionLives-clockSkew))):
		return false
	}
	return claims.NotBefore == nil || !claims.NotBefore.Time().After(now.Add(clockSkew))
}

// spend records that an assertion of clientID was used. Of many at once, one
// gets nil, the others [ErrAssertion].
func (cs *Clients) spend(ctx context.Context, clientID string, claims jwt.Claims) error {
	sum := sha256.Sum256([]byte(clientID + "\x00" + claims.ID))
	used := store.Redemption{CodeID: "assertion " + base64.RawURLEncoding.EncodeToString(sum[:]), Expires: claims.Expiry.Time().Add(assertionSlack)}
	var refusal error
	err := cs.Store.Update(ctx, func(tx store.Tx) error {
		refusal = nil // Update may run this again
		_, err := tx.Redemption(ctx, used.CodeID)
		switch {
		case err == nil:
			refusal = ErrAssertion
			return nil
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		return tx.PutRedemption(ctx, used)
	})
	if err != nil {
		return fmt.Errorf("client: note an assertion: %w", err)
	}
	return refusal
}

// keys returns the public keys of a client. Where they are elsewhere, kid is the
// one that is wanted.
func (cs *Clients) keys(ctx context.Context, registered Authentication, kid string) ([]jose.JSONWebKey, error) {
	switch {
	case registered.KeysURI == "":
		keys, err := publicKeys(registered.Keys)
		if err != nil {
			return nil, ErrAssertion
		}
		return keys, nil
	case cs.Fetch == nil:
		return nil, ErrKeys
	}
	return cs.sets.of(ctx, registered.KeysURI, kid)
}
