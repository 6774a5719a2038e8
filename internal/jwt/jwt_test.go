package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
)

// known is the P-256 key of RFC 6979 appendix A.2.5.
func known(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	raw, err := hex.DecodeString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ofEachKind(t testing.TB) []crypto.Signer {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return []crypto.Signer{known(t), rsaKey, ed25519.NewKeyFromSeed(make([]byte, 32))}
}

func keys(t testing.TB, signers ...crypto.Signer) []Key {
	t.Helper()
	all, err := NewKeys(signers)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var claims = Claims{Issuer: "https://notes.example", Subject: "user_1", Audience: "https://files.example/api", ClientID: "client_1",
	Scope: "guest notes:write", Issued: 1795269780, Expires: 1795273380, ID: "jti", AuthTime: 1795269700, Level: "chat"}

// RFC 9068 section 2: the whole token, byte for byte. What it is made of is
// computed again within the overlap of a refresh, also by another version of
// this program: a change here signs people out.
func TestATokenByteForByte(t *testing.T) {
	signed, err := keys(t, known(t))[0].Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(signed, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, want := range []string{
		`{"alg":"ES256","kid":"DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0","typ":"at+jwt"}`,
		`{"iss":"https://notes.example","sub":"user_1","aud":"https://files.example/api","client_id":"client_1","scope":"guest notes:write",` +
			`"iat":1795269780,"exp":1795273380,"jti":"jti","auth_time":1795269700,"acr":"chat"}`,
	} {
		if got, err := base64.RawURLEncoding.DecodeString(parts[i]); err != nil || string(got) != want {
			t.Errorf("part %d\ngot  %s\nwant %s, %v", i, got, want, err)
		}
	}
	const signature = "JPDP9F80Zjw4oCxJWRDiMj6uUaJbfhaGpwrcnUZFSWjZtLzoC1jcFiCEhoY_GB6fsl7DGVXqfSRkmydOlAM32A"
	if parts[2] != signature {
		t.Errorf("signature %s, want %s", parts[2], signature)
	}
}

// RFC 6979 appendix A.2.5, the message "sample" with SHA-256: the nonce is the
// one that everybody derives, in any version of the library.
func TestTheNonceIsDerived(t *testing.T) {
	got, err := keys(t, known(t))[0].signature([]byte("sample"))
	const want = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
	if hex.EncodeToString(got) != want || err != nil {
		t.Errorf("%x, %v", got, err)
	}
}

// Determinism is what the repeat of a refresh rests on; that others can verify
// is what the token is for.
func TestEveryKindOfKeySignsTheSameTwiceAndVerifies(t *testing.T) {
	all := keys(t, ofEachKind(t)...)
	published, err := json.Marshal(Published(all))
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(published, &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("%v: %s", err, published)
	}
	for i, key := range all {
		first, err := key.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if again, err := key.Sign(claims); err != nil || again != first {
				t.Fatalf("%s: signed twice, and differently: %v", key.public.Algorithm, err)
			}
		}
		token, err := josejwt.ParseSigned(first, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.public.Algorithm)})
		if err != nil {
			t.Fatal(err)
		}
		found := set.Key(token.Headers[0].KeyID)
		if len(found) != 1 {
			t.Fatalf("%s: %d keys for its kid", key.public.Algorithm, len(found))
		}
		var got Claims
		if err := token.Claims(found[0], &got); err != nil || got != claims {
			t.Errorf("%s: %v, %+v", key.public.Algorithm, err, got)
		}
		if err := token.Claims(set.Keys[(i+1)%3], &got); err == nil {
			t.Errorf("%s: verified by another key", key.public.Algorithm)
		}
		if token.Headers[0].ExtraHeaders["typ"] != "at+jwt" {
			t.Errorf("typ %v", token.Headers[0].ExtraHeaders["typ"])
		}
	}
}

// RFC 7638: kid is the thumbprint, as another implementation computes it.
func TestAKeyIsNamedByItsThumbprint(t *testing.T) {
	signers := ofEachKind(t)
	for i, key := range keys(t, signers...) {
		want, err := (&jose.JSONWebKey{Key: signers[i].Public()}).Thumbprint(crypto.SHA256)
		if err != nil || key.public.ID != base64.RawURLEncoding.EncodeToString(want) {
			t.Errorf("%s: %s, want %x, %v", key.public.Algorithm, key.public.ID, want, err)
		}
	}
}

func TestNothingPrivateIsPublished(t *testing.T) {
	text, err := json.Marshal(Published(keys(t, ofEachKind(t)...)))
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 3 {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} { // RFC 7518 section 6
			if _, ok := key[private]; ok {
				t.Errorf("%s: %s is published", key["kty"], private)
			}
		}
		if key["use"] != "sig" || key["alg"] == "" || key["kid"] == "" {
			t.Errorf("%v", key)
		}
	}
	if text, err := json.Marshal(Published(nil)); err != nil || string(text) != `{"keys":[]}` {
		t.Errorf("no keys: %s, %v", text, err)
	}
}

// opaque is a signer of which nobody knows whether it signs the same twice.
type opaque struct{ crypto.Signer }

func TestKeysThatAreRefused(t *testing.T) {
	weak := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(3233), E: 17}, D: big.NewInt(413), Primes: []*big.Int{big.NewInt(61), big.NewInt(53)}}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := known(t)
	for name, test := range map[string]struct {
		signers []crypto.Signer
		want    []string
	}{
		"nothing":                  {[]crypto.Signer{nil}, []string{"number 1 is <nil>"}},
		"no RSA key":               {[]crypto.Signer{(*rsa.PrivateKey)(nil)}, []string{"number 1 is no RSA key"}},
		"an empty RSA key":         {[]crypto.Signer{&rsa.PrivateKey{}}, []string{"number 1 is no RSA key"}},
		"a short RSA key":          {[]crypto.Signer{weak}, []string{"number 1 is no RSA key of at least 2048 bits"}},
		"no ECDSA key":             {[]crypto.Signer{(*ecdsa.PrivateKey)(nil)}, []string{"number 1 is no ECDSA key"}},
		"an empty ECDSA key":       {[]crypto.Signer{&ecdsa.PrivateKey{}}, []string{"number 1 is no ECDSA key"}},
		"another curve":            {[]crypto.Signer{p384}, []string{"number 1 is no ECDSA key on P-256"}},
		"half an Ed25519 key":      {[]crypto.Signer{ed25519.PrivateKey(make([]byte, 32))}, []string{"number 1 is no Ed25519 key"}},
		"a signer of another kind": {[]crypto.Signer{opaque{good}}, []string{"number 1 is jwt.opaque"}},
		"one key twice":            {[]crypto.Signer{good, good}, []string{"number 2 is given twice"}},
		"several problems":         {[]crypto.Signer{nil, good, p384}, []string{"number 1", "number 3"}},
	} {
		_, err := NewKeys(test.signers)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in %v", name, want, err)
			}
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, key := range keys(b, ofEachKind(b)...) {
		b.Run(key.public.Algorithm, func(b *testing.B) {
			for b.Loop() {
				if _, err := key.Sign(claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
