package grant

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"example.com/foyer/internal/jwt"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// JWTs say for which resources the access tokens of users are JWTs (RFC 9068).
// Guests' are opaque everywhere: a JWT cannot be claimed. The zero JWTs make
// every token opaque.
//
// What the store keeps of a JWT is its hash, as of any token, so that a claim, a
// revocation and introspection work the same. Who verifies a JWT without asking
// hears of them when it expires.
type JWTs struct {
	Issuer    string
	Resources []string
	Keys      []jwt.Key // the first signs; what the others have signed is answered again
}

// signs reports whether the access tokens of gr are JWTs.
func (g *Grants) signs(gr store.Grant) bool {
	return gr.UserID != "" && slices.Contains(g.jwts.Resources, gr.Resource)
}

// claims are what the access token of pair says, where access is its record and
// issued the instant of the pair. They hold nothing that is not in the store, or
// follows from the refresh token, so that a repeat finds the same ones.
func (g *Grants) claims(gr store.Grant, access store.Token, pair secret.Pair, issued time.Time) jwt.Claims {
	id := pair.Access.Hash() // of the opaque token, which nobody has
	return jwt.Claims{
		Issuer:   g.jwts.Issuer,
		Subject:  gr.UserID,
		Audience: gr.Resource,
		ClientID: gr.ClientID,
		Scope:    strings.Join(Scopes(access, gr), " "),
		Issued:   issued.Unix(),
		Expires:  access.Expires.Unix(),
		ID:       base64.RawURLEncoding.EncodeToString(id[:16]),
		AuthTime: gr.AuthTime.Unix(),
		Level:    gr.Level,
	}
}

// sign makes the access token of pair a JWT where gr wants one, and access its
// record.
func (g *Grants) sign(gr store.Grant, access store.Token, pair secret.Pair, issued time.Time) (secret.Pair, store.Token, error) {
	if !g.signs(gr) {
		return pair, access, nil
	}
	signed, err := g.jwts.Keys[0].Sign(g.claims(gr, access, pair, issued))
	pair.Access = secret.Plain(signed)
	access.Hash = pair.Access.Hash()
	return pair, access, err
}

// repeatSigned is [Grants.repeat] where the access token is a JWT: the one that
// was issued with t's successor, under whichever key, or none. Its time does not
// begin anew, because it is written in it.
func (g *Grants) repeatSigned(t store.Token, gr store.Grant, access store.Token, pair secret.Pair, now time.Time) (Issued, error, error) {
	if !now.Before(access.Expires) {
		return Issued{}, ErrUnknown, nil
	}
	for _, key := range g.jwts.Keys {
		signed, err := key.Sign(g.claims(gr, access, pair, t.UsedAt))
		if err != nil {
			return Issued{}, nil, err
		}
		if again := secret.Plain(signed); again.Hash() == access.Hash {
			pair.Access = again
			return Issued{Pair: pair, ExpiresIn: access.Expires.Sub(now), Scopes: Scopes(access, gr)}, nil, nil
		}
	}
	return Issued{}, ErrUnknown, nil
}
