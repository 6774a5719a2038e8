package client

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

var (
	firstSecret  = strings.Repeat("first-", 8)
	secondSecret = strings.Repeat("second", 8)
)

// A pair is a private key, and its public JWK.
type pair struct {
	private crypto.Signer
	kid     string
}

func newPair(t testing.TB, kid string) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pair{key, kid}
}

func (p pair) jwk() jose.JSONWebKey { return jose.JSONWebKey{Key: p.private.Public(), KeyID: p.kid} }

func setOf(t testing.TB, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims are those of a good assertion of clientID, but for changes.
func (f *fixture) claims(clientID string, changes ...any) map[string]any {
	all := map[string]any{"iss": clientID, "sub": clientID, "aud": issuer, "exp": f.clock.Add(5 * time.Minute).Unix(),
		"iat": f.clock.Unix(), "jti": rand.Text()}
	for i := 0; i < len(changes); i += 2 {
		name := changes[i].(string)
		if all[name] = changes[i+1]; changes[i+1] == nil {
			delete(all, name)
		}
	}
	return all
}

// signed is an assertion with those claims; headers are name and value, in turn.
func (p pair) signed(t testing.TB, algorithm jose.SignatureAlgorithm, claims any, headers ...string) Credentials {
	t.Helper()
	options := &jose.SignerOptions{}
	for i := 0; i < len(headers); i += 2 {
		options.WithHeader(jose.HeaderKey(headers[i]), headers[i+1])
	}
	return signedWith(t, jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: p.private, KeyID: p.kid}}, claims, options)
}

// signedWith is an assertion with those claims, or that text.
func signedWith(t testing.TB, key jose.SigningKey, claims any, options *jose.SignerOptions) Credentials {
	t.Helper()
	text, isText := claims.(string)
	if !isText {
		encoded, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return asserting(compact)
}

func asserting(text string) Credentials {
	return Credentials{AssertionType: assertionType, Assertion: secret.Plain(text)}
}

func basic(user, password string) Credentials {
	return Credentials{Header: true, User: user, Password: secret.Plain(password)}
}

func inForm(id, text string) Credentials {
	return Credentials{ClientID: id, Secret: secret.Plain(text)}
}

// with is cred with another method as well.
func with(cred Credentials, more Credentials) Credentials {
	if more.Header {
		cred.Header, cred.User, cred.Password = true, more.User, more.Password
	}
	if more.ClientID != "" {
		cred.ClientID = more.ClientID
	}
	if more.Secret.Reveal() != "" {
		cred.Secret = more.Secret
	}
	if more.AssertionType != "" {
		cred.AssertionType, cred.Assertion = more.AssertionType, more.Assertion
	}
	return cred
}

// RFC 6749 sections 2.3 and 2.3.1, X32: who is registered for what shows it by
// that, and by nothing else.
func TestAClientAuthenticatesByItsOwnMethod(t *testing.T) {
	key := newPair(t, "k1")
	uris := []string{redirect}
	f := newFixture(t, func(cfg *Config) {
		cfg.Preregistered = []Preregistered{
			{ID: "public", RedirectURIs: uris},
			{ID: "secretive", RedirectURIs: uris, Secrets: []string{firstSecret, secondSecret}},
			{ID: "signing", RedirectURIs: uris, Keys: setOf(t, key.jwk())},
			{ID: "both", RedirectURIs: uris, Secrets: []string{firstSecret}, Keys: setOf(t, key.jwk())},
		}
	})
	registered := f.register(metadata("App", redirect)).ID
	signed := func(id string) Credentials { return key.signed(t, jose.ES256, f.claims(id)) }
	for _, test := range []struct {
		name string
		cred Credentials
		id   string
		want error
	}{
		{"a registered client names itself", Credentials{ClientID: registered}, registered, nil},
		{"an empty secret is none", inForm(registered, ""), registered, nil},
		{"a registered client with a secret", inForm(registered, firstSecret), "", ErrPublic},
		{"a registered client with a header", basic(registered, firstSecret), "", ErrPublic},
		{"a registered client with a header and no password", basic(registered, ""), "", ErrPublic},
		{"a registered client with an assertion", signed(registered), "", ErrPublic},
		{"a public client names itself", Credentials{ClientID: "public"}, "public", nil},
		{"a public client with a secret", inForm("public", firstSecret), "", ErrPublic},
		{"a secret in the header", basic("secretive", firstSecret), "secretive", nil},
		{"the other secret", basic("secretive", secondSecret), "secretive", nil},
		{"and the ID in the form too", with(basic("secretive", firstSecret), Credentials{ClientID: "secretive"}), "secretive", nil},
		{"a secret in the form", inForm("secretive", firstSecret), "secretive", nil},
		{"the other secret in the form", inForm("secretive", secondSecret), "secretive", nil},
		{"no secret", Credentials{ClientID: "secretive"}, "", ErrCredentials},
		{"an empty one in the form", inForm("secretive", ""), "", ErrCredentials},
		{"an empty one in the header", basic("secretive", ""), "", ErrCredentials},
		{"a wrong one", inForm("secretive", firstSecret+"x"), "", ErrCredentials},
		{"half of one", inForm("secretive", firstSecret[:24]), "", ErrCredentials},
		{"both at once", inForm("secretive", firstSecret+secondSecret), "", ErrCredentials},
		{"its hash", inForm("secretive", fmt.Sprintf("%x", secret.HashOf(firstSecret))), "", ErrCredentials},
		{"that of another client", inForm("both", secondSecret), "", ErrCredentials},
		{"the header and the form at once", with(basic("secretive", firstSecret), inForm("secretive", firstSecret)), "", ErrCredentials},
		{"a wrong header beside a right form", with(inForm("secretive", firstSecret), basic("secretive", "x")), "", ErrCredentials},
		{"a header that names another than the form", with(basic("secretive", firstSecret), Credentials{ClientID: "both"}), "", ErrCredentials},
		{"a header that cannot be read", Credentials{Header: true, ClientID: "secretive"}, "", ErrCredentials},
		{"a header that cannot be read, of a public client", Credentials{Header: true, ClientID: "public"}, "", ErrCredentials},
		{"an assertion where secrets are registered", signed("secretive"), "", ErrCredentials},
		{"an assertion", signed("signing"), "signing", nil},
		{"an assertion, and the ID in the form", with(signed("signing"), Credentials{ClientID: "signing"}), "signing", nil},
		{"an assertion of another than the form names", with(signed("signing"), Credentials{ClientID: "both"}), "", ErrCredentials},
		{"no assertion", Credentials{ClientID: "signing"}, "", ErrCredentials},
		{"a secret where keys are registered", inForm("signing", firstSecret), "", ErrCredentials},
		{"an empty secret where keys are registered", basic("signing", ""), "", ErrCredentials},
		{"an assertion beside a secret", with(signed("both"), inForm("both", firstSecret)), "", ErrCredentials},
		{"an assertion beside a header", with(signed("both"), basic("both", firstSecret)), "", ErrCredentials},
		{"the type of an assertion beside a secret", with(inForm("both", firstSecret), Credentials{AssertionType: assertionType}), "", ErrCredentials},
		{"the one of both", inForm("both", firstSecret), "both", nil},
		{"the other of both", signed("both"), "both", nil},
		{"none of both", Credentials{ClientID: "both"}, "", ErrCredentials},
		{"nobody", Credentials{}, "", ErrCredentials},
		{"an unknown client", Credentials{ClientID: "client_X"}, "", ErrUnknown},
		{"an unknown client with a header", basic("nobody", firstSecret), "", ErrUnknown},
		{"an unknown client with an assertion", signed("nobody"), "", ErrUnknown},
	} {
		c, err := f.Authenticate(t.Context(), test.cred)
		if err != test.want || c.ID != test.id {
			t.Errorf("%s: Authenticate = %q, %v; want %q, %v", test.name, c.ID, err, test.id, test.want)
		}
	}
}

// RFC 7523 section 3: what an assertion must say, and how it must be signed.
func TestAnAssertionProvesItsClientHereAndNow(t *testing.T) {
	const id = "signing"
	key, other := newPair(t, "k1"), newPair(t, "k1")
	f := newFixture(t, func(cfg *Config) {
		cfg.Preregistered = []Preregistered{{ID: id, RedirectURIs: []string{redirect}, Keys: setOf(t, key.jwk())}}
	})
	f.clock = f.clock.Add(time.Second / 2)
	in := func(d time.Duration) int64 { return f.clock.Add(d).Unix() }
	es256 := func(changes ...any) Credentials { return key.signed(t, jose.ES256, f.claims(id, changes...)) }
	good := es256()
	parts := strings.Split(good.Assertion.Reveal(), ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, test := range []struct {
		name string
		cred Credentials
		want error
	}{
		{"a good one", good, nil},
		{"for the token endpoint, as ChatGPT says it", es256("aud", issuer+"/token"), nil},
		{"for the issuer with a slash, as the Python SDK says it", es256("aud", issuer+"/"), nil},
		{"in a list of one", es256("aud", []string{issuer}), nil},
		{"without iat", es256("iat", nil), nil},
		{"with nbf", es256("nbf", in(0)), nil},
		{"of a clock that is a little ahead", es256("iat", in(30*time.Second), "nbf", in(30*time.Second), "exp", in(5*time.Minute+30*time.Second)), nil},
		{"of a clock that is behind", es256("iat", in(-4*time.Minute), "exp", in(time.Minute)), nil},
		{"with a claim that nobody knows", es256("x", []int{1}), nil},
		{"of type JWT", key.signed(t, jose.ES256, f.claims(id), "typ", "JWT"), nil},
		{"of the type for this", key.signed(t, jose.ES256, f.claims(id), "typ", "client-authentication+jwt"), nil},
		{"without a key ID", pair{key.private, ""}.signed(t, jose.ES256, f.claims(id)), nil},

		{"of another type", key.signed(t, jose.ES256, f.claims(id), "typ", "at+jwt"), ErrAssertion},
		{"by another's key", other.signed(t, jose.ES256, f.claims(id)), ErrAssertion},
		{"by another key ID", pair{key.private, "k2"}.signed(t, jose.ES256, f.claims(id)), ErrAssertion},
		{"by a shared secret made of the public key", pair{nil, "k1"}.hmac(t, setOf(t, key.jwk()), f.claims(id)), ErrAssertion},
		{"by nobody", asserting(encode(`{"alg":"none"}`) + "." + parts[1] + "."), ErrAssertion},
		{"by nobody, in capitals", asserting(encode(`{"alg":"NONE"}`) + "." + parts[1] + "."), ErrAssertion},
		{"with no signature", asserting(parts[0] + "." + parts[1] + "."), ErrAssertion},
		{"by the key that it brings along", other.embedded(t, f.claims(id)), ErrAssertion},
		{"changed on the way", asserting(parts[0] + "." + encode(`{"iss":"signing","sub":"signing"}`) + "." + parts[2]), ErrAssertion},
		{"for another server", es256("aud", "https://other.example"), ErrAssertion},
		{"for us and another server", es256("aud", []string{issuer, "https://other.example"}), ErrAssertion},
		{"for us, twice", es256("aud", []string{issuer, issuer}), ErrAssertion},
		{"for our endpoint", es256("aud", issuer+"/mcp"), ErrAssertion},
		{"for nobody", es256("aud", nil), ErrAssertion},
		{"for nobody, in a list", es256("aud", []string{}), ErrAssertion},
		{"for a name that ours begins", es256("aud", issuer+".evil.example"), ErrAssertion},
		{"from another issuer", es256("iss", "https://other.example"), ErrAssertion},
		{"from no issuer", es256("iss", nil), ErrAssertion},
		{"of no subject", es256("sub", nil), ErrAssertion},
		{"without an end", es256("exp", nil), ErrAssertion},
		{"of which the time is over", es256("exp", in(0)), ErrAssertion},
		{"of yesterday", es256("exp", in(-24*time.Hour), "iat", in(-24*time.Hour)), ErrAssertion},
		{"that lives for an hour", es256("exp", in(time.Hour)), ErrAssertion},
		{"that lives for seven minutes", es256("exp", in(7*time.Minute)), ErrAssertion},
		{"without an end in this world", es256("exp", 1e18), ErrAssertion},
		{"made in the future", es256("iat", in(3*time.Minute)), ErrAssertion},
		{"made long ago", es256("iat", in(-time.Hour)), ErrAssertion},
		{"not to be used yet", es256("nbf", in(3*time.Minute)), ErrAssertion},
		{"without an ID", es256("jti", nil), ErrAssertion},
		{"with an empty ID", es256("jti", ""), ErrAssertion},
		{"with a huge ID", es256("jti", strings.Repeat("j", maxJTI+1)), ErrAssertion},
		{"with a number for an ID", es256("jti", 7), ErrAssertion},
		{"with a text for a time", es256("exp", "soon"), ErrAssertion},
		{"with a claim twice", key.signed(t, jose.ES256, `{"iss":"signing","sub":"other","sub":"signing"}`), ErrAssertion},
		{"with claims in capitals", key.signed(t, jose.ES256, `{"ISS":"signing","SUB":"signing"}`), ErrAssertion},
		{"of no object", key.signed(t, jose.ES256, `[]`), ErrAssertion},
		{"of null", key.signed(t, jose.ES256, `null`), ErrAssertion},
		{"that is empty", asserting(""), ErrAssertion},
		{"that is no JWT", asserting("a.b.c"), ErrAssertion},
		{"of JSON", asserting(`{"payload":"e30","signatures":[]}`), ErrAssertion},
		{"that is huge", es256("x", strings.Repeat("x", maxAssertion)), ErrAssertion},
		{"without its type", Credentials{ClientID: id, Assertion: es256().Assertion}, ErrAssertion},
		{"of SAML", Credentials{AssertionType: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", Assertion: es256().Assertion}, ErrAssertion},
		{"the good one again", good, ErrAssertion},
	} {
		if c, err := f.Authenticate(t.Context(), test.cred); err != test.want || (err == nil) != (c.ID == id) {
			t.Errorf("%s: Authenticate = %q, %v; want %v", test.name, c.ID, err, test.want)
		}
	}
}

// hmac is an assertion under a shared secret.
func (p pair) hmac(t testing.TB, key []byte, claims any) Credentials {
	t.Helper()
	return signedWith(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: key, KeyID: p.kid}}, claims, nil)
}

// embedded is an assertion that says by which key it is to be verified.
func (p pair) embedded(t testing.TB, claims any) Credentials {
	t.Helper()
	return signedWith(t, jose.SigningKey{Algorithm: jose.ES256, Key: p.private}, claims, &jose.SignerOptions{EmbedJWK: true})
}

func TestEveryAlgorithmThatIsOfferedWorksAndNoOther(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		algorithm jose.SignatureAlgorithm
		key       crypto.Signer
		want      error
	}{
		{jose.ES256, newPair(t, "").private, nil},
		{jose.EdDSA, edwards, nil},
		{jose.RS256, big, nil},
		{jose.PS256, big, nil},
		{jose.RS512, big, ErrAssertion},
		{jose.PS384, big, ErrAssertion},
		{jose.ES384, wide, ErrAssertion},
	} {
		p := pair{test.key, "k"}
		fallback := newPair(t, "fallback") // else there would be no key at all that can be used
		f := newFixture(t, func(cfg *Config) {
			cfg.Preregistered = []Preregistered{{ID: "signing", RedirectURIs: []string{redirect}, Keys: setOf(t, p.jwk(), fallback.jwk())}}
		})
		if _, err := f.Authenticate(t.Context(), p.signed(t, test.algorithm, f.claims("signing"))); err != test.want {
			t.Errorf("%s: %v, want %v", test.algorithm, err, test.want)
		}
	}
}

// RFC 7523 section 3, rule 7: an assertion counts once, in whatever process, and
// is remembered for longer than it lives.
func TestAnAssertionCountsOnce(t *testing.T) {
	key := newPair(t, "k1")
	change := func(cfg *Config) {
		cfg.Preregistered = []Preregistered{
			{ID: "signing", RedirectURIs: []string{redirect}, Keys: setOf(t, key.jwk())},
			{ID: "other", RedirectURIs: []string{redirect}, Keys: setOf(t, key.jwk())},
		}
	}
	f := newFixture(t, change)
	again := *f
	cfg := f.Config
	change(&cfg)
	var err error
	if again.Clients, err = New(cfg); err != nil { // another process
		t.Fatal(err)
	}
	cred := key.signed(t, jose.ES256, f.claims("signing", "jti", "one"))
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			rules := []*fixture{f, &again}[i%2]
			switch _, err := rules.Authenticate(t.Context(), cred); err {
			case nil:
				won.Add(1)
			case ErrAssertion:
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 succeeded", won.Load())
	}
	if _, err := f.Authenticate(t.Context(), key.signed(t, jose.ES256, f.claims("other", "jti", "one"))); err != nil {
		t.Errorf("another client's assertion of the same ID: %v", err)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.DeleteExpired(ctx, f.clock.Add(30*time.Minute), 100)
		return err
	})
	if _, err := f.Authenticate(t.Context(), cred); err != ErrAssertion {
		t.Errorf("by a clock that is half an hour behind the one that cleared away: %v", err)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.DeleteExpired(ctx, f.clock.Add(2*time.Hour), 100)
		if n != 2 {
			t.Errorf("%d are cleared away, want both", n)
		}
		return err
	})
}

// What is refused writes nothing: who has no key cannot fill the store.
func TestARefusedAssertionIsNotRemembered(t *testing.T) {
	key, other := newPair(t, "k1"), newPair(t, "k1")
	f := newFixture(t, func(cfg *Config) {
		cfg.Preregistered = []Preregistered{{ID: "signing", RedirectURIs: []string{redirect}, Keys: setOf(t, key.jwk())}}
	})
	for range 10 {
		f.Authenticate(t.Context(), other.signed(t, jose.ES256, f.claims("signing", "jti", "one")))
		f.Authenticate(t.Context(), key.signed(t, jose.ES256, f.claims("signing", "jti", "one", "aud", "https://other.example")))
	}
	if _, err := f.Authenticate(t.Context(), key.signed(t, jose.ES256, f.claims("signing", "jti", "one"))); err != nil {
		t.Errorf("the right one: %v", err)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.DeleteExpired(ctx, f.clock.Add(24*time.Hour), 100)
		if n != 1 {
			t.Errorf("%d records, want one", n)
		}
		return err
	})
}

func TestMethodsAreThoseThatSomebodyHas(t *testing.T) {
	key := newPair(t, "k1")
	public, secretive := Preregistered{ID: "a", RedirectURIs: []string{redirect}}, Preregistered{ID: "b", RedirectURIs: []string{redirect}, Secrets: []string{firstSecret}}
	signing := Preregistered{ID: "c", RedirectURIs: []string{redirect}, Keys: setOf(t, key.jwk())}
	for _, test := range []struct {
		clients []Preregistered
		want    string
	}{
		{nil, "[none]"},
		{[]Preregistered{public}, "[none]"},
		{[]Preregistered{public, secretive}, "[none client_secret_basic client_secret_post]"},
		{[]Preregistered{signing}, "[none private_key_jwt]"},
		{[]Preregistered{secretive, signing}, "[none client_secret_basic client_secret_post private_key_jwt]"},
	} {
		f := newFixture(t, func(cfg *Config) { cfg.Preregistered = test.clients })
		if got := fmt.Sprint(f.Methods()); got != test.want {
			t.Errorf("Methods = %s, want %s", got, test.want)
		}
	}
}
