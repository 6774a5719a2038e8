package foyer

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

const (
	filesURL    = "https://files.example/api"
	filesSecret = "a secret of the server of the files"
	mapsURL     = "https://maps.example"
)

func TestEveryProblemOfAResourceServerIsListed(t *testing.T) {
	ok := ResourceServer{Resource: filesURL, ID: "files", Secrets: []string{filesSecret}}
	with := func(change func(*ResourceServer)) func(*Config) {
		return func(cfg *Config) {
			rs := ok
			change(&rs)
			cfg.ResourceServers = []ResourceServer{rs}
		}
	}
	resource := func(url string) func(*Config) { return with(func(rs *ResourceServer) { rs.Resource = url }) }
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"one that asks", with(func(*ResourceServer) {}), nil},
		{"one that verifies by itself", with(func(rs *ResourceServer) { rs.ID, rs.Secrets, rs.JWT = "", nil, true }), nil},
		{"one on this device", resource("http://localhost:9000/api"), nil},
		{"one on our host", resource("https://notes.example.com/api"), nil},
		{"one below an endpoint", resource("https://notes.example.com/mcp/api"), nil},
		{"nothing at all", func(cfg *Config) { cfg.ResourceServers = []ResourceServer{{}} }, []string{"number 1 has neither Secrets nor JWT", `number 1 has Resource ""`}},
		{"http", resource("http://files.example/api"), []string{"must be https"}},
		{"http on a host that only begins like this device", resource("http://localhost.files.example"), []string{"must be https"}},
		{"another scheme", resource("ftp://files.example"), []string{"must be a URL such as"}},
		{"a fragment", resource(filesURL + "#a"), []string{"must be a URL such as"}},
		{"a slash at the end", resource(filesURL + "/"), []string{`write "https://files.example/api"`}},
		{"a host in capitals", resource("https://Files.example/api"), []string{`write "https://files.example/api"`}},
		{"the port that is meant anyway", resource("https://files.example:443/api"), []string{`write "https://files.example/api"`}},
		{"an endpoint's URL", resource("https://notes.example.com/mcp"), []string{"is an endpoint's"}},
		{"the URL of another endpoint", func(cfg *Config) {
			cfg.Endpoints = []Endpoint{{Path: "/a"}, {Path: "/b"}}
			cfg.ResourceServers = []ResourceServer{{Resource: "https://notes.example.com/b", JWT: true}, {Resource: "https://notes.example.com/mcp", JWT: true}}
		}, []string{"number 1 has Resource \"https://notes.example.com/b\", which is an endpoint's"}},
		{"two alike", func(cfg *Config) { cfg.ResourceServers = []ResourceServer{ok, ok} }, []string{"number 2 has the Resource of another", "number 2 has the ID of another"}},
		{"two without a name", func(cfg *Config) {
			cfg.ResourceServers = []ResourceServer{{Resource: filesURL, JWT: true}, {Resource: mapsURL, JWT: true}}
		}, nil},
		{"secrets", with(func(rs *ResourceServer) { rs.Secrets = []string{filesSecret, "short", strings.Repeat("s", 32)} }),
			[]string{"number 2, of 5 bytes", "number 3, that is one of Config.Secrets"}},
		{"secrets without a name", with(func(rs *ResourceServer) { rs.ID = "" }), []string{`has ID ""`}},
		{"a name that has to be encoded", with(func(rs *ResourceServer) { rs.ID = "files:1" }), []string{`has ID "files:1"`}},
		{"neither secret nor JWT", with(func(rs *ResourceServer) { rs.Secrets = nil }), []string{"has neither"}},
		{"JWTs that end before the overlap", func(cfg *Config) {
			cfg.ResourceServers, cfg.Lifetimes = []ResourceServer{{Resource: filesURL, JWT: true}}, Lifetimes{Access: time.Minute - 1}
		}, []string{"Lifetimes.Access: 59.999999999s is less than Overlap"}},
		{"opaque tokens that do", func(cfg *Config) {
			cfg.ResourceServers, cfg.Lifetimes = []ResourceServer{ok}, Lifetimes{Access: time.Second}
		}, nil},
		{"keys that sign differently each time", func(cfg *Config) { cfg.SigningKeys = []crypto.Signer{nil, (*rsa.PrivateKey)(nil)} },
			[]string{"SigningKeys: number 1 is <nil>", "number 2 is no RSA key"}},
		{"endpoints in the way", func(cfg *Config) { cfg.Endpoints = []Endpoint{{Path: "/introspect"}, {Path: "/jwks"}} },
			[]string{`path "/introspect" is taken`, `path "/jwks" is taken`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := good(t)
			test.change(&cfg)
			kit, err := New(cfg)
			if err == nil {
				kit.Close()
				if len(test.want) > 0 {
					t.Error("accepted")
				}
				return
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in\n%v", want, err)
				}
			}
			if lines := strings.Count(err.Error(), "\n"); lines != len(test.want) {
				t.Errorf("%d problems, want %d:\n%v", lines, len(test.want), err)
			}
			if strings.Contains(err.Error(), filesSecret) || strings.Contains(err.Error(), cfg.Secrets[0]) {
				t.Error("the error shows a secret")
			}
		})
	}
}

// elsewhere has a server that takes JWTs, and one that asks.
func elsewhere(cfg *Config) {
	cfg.ResourceServers = []ResourceServer{{Resource: filesURL, ID: "files", Secrets: []string{filesSecret}, JWT: true},
		{Resource: mapsURL, ID: "maps", Secrets: []string{"a secret of the server of the maps.."}}}
}

// guestOf registers a client and gets it a grant for a resource.
func (h *house) guestOf(t testing.TB, resource string) *guest {
	t.Helper()
	g := &guest{house: h, client: h.client(t, "Elsewhere")}
	res := h.get(t, "/authorize?"+url.Values{"response_type": {"code"}, "client_id": {g.client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "resource": {resource}}.Encode())
	defer res.Body.Close()
	g.access, g.refresh = h.redeem(t, g.client, codeIn(t, res.Header.Get("Location")))
	return g
}

// claim makes the grant a user's, as a page will: the chat's tools are at the
// endpoints, and a resource elsewhere has none.
func (g *guest) claim(t testing.TB, userID string) {
	t.Helper()
	err := g.store.Update(t.Context(), func(tx store.Tx) error {
		_, err := g.kit.grants.Claim(t.Context(), tx, secret.HashOf(g.access), grant.Proof{UserID: userID, Level: "chat", ApprovedBy: "mail",
			Scopes: []string{"journal:write"}, Epoch: 1}, g.clock())
		if err != nil {
			return err
		}
		return tx.PutUser(t.Context(), store.User{ID: userID, Email: userID + "@example.com", Created: g.clock()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// introspect asks as the server of the files, for the whole answer.
func (h *house) introspect(t testing.TB, token string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.issuer+"/introspect", strings.NewReader(url.Values{"token": {token}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form)
	r.SetBasicAuth("files", filesSecret)
	res := h.send(t, r)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s %v", res.StatusCode, body, err)
	}
	return strings.TrimSpace(string(body))
}

// An offline is a resource server that verifies by itself, as one elsewhere
// would: it asks for the keys again when it does not know one.
type offline struct {
	*house
	keys    jose.JSONWebKeySet
	fetches int
}

type accessClaims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	AuthTime int64  `json:"auth_time"`
	Level    string `json:"acr"`
}

// verify follows RFC 9068 section 4.
func (v *offline) verify(t testing.TB, token string) (c accessClaims, err error) {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.EdDSA})
	if err != nil {
		return c, err
	}
	head := parsed.Headers[0]
	if head.ExtraHeaders["typ"] != "at+jwt" {
		return c, fmt.Errorf("typ %v", head.ExtraHeaders["typ"])
	}
	found := v.keys.Key(head.KeyID)
	if len(found) == 0 {
		v.fetches++
		res := v.get(t, "/jwks")
		defer res.Body.Close()
		v.keys = jose.JSONWebKeySet{}
		if err := json.NewDecoder(res.Body).Decode(&v.keys); err != nil {
			return c, err
		}
		if found = v.keys.Key(head.KeyID); len(found) == 0 {
			return c, fmt.Errorf("unknown key")
		}
	}
	if err := parsed.Claims(found[0], &c); err != nil {
		return c, err
	}
	return c, c.ValidateWithLeeway(jwt.Expected{Issuer: v.issuer, AnyAudience: jwt.Audience{filesURL}, Time: v.clock()}, 0)
}

func TestAServerElsewhereTakesOurTokens(t *testing.T) {
	h := newHouse(t, elsewhere)
	v := &offline{house: h}
	g := h.guestOf(t, filesURL)
	if body := h.introspect(t, g.access); !strings.Contains(body, `"active":true,"scope":"guest"`) || !strings.Contains(body, `"sub":"guest_`) {
		t.Errorf("a guest's: %s", body)
	}
	if _, err := v.verify(t, g.access); err == nil {
		t.Error("a guest has a JWT")
	}
	h.advance(time.Minute)
	g.claim(t, "user_ann")
	authTime := h.clock()
	h.advance(time.Minute)
	g.renew(t)
	issued := h.clock()

	c, err := v.verify(t, g.access)
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != h.issuer || c.Subject != "user_ann" || len(c.Audience) != 1 || c.Audience[0] != filesURL || c.ClientID != g.client || c.Scope != "guest journal:write" ||
		!c.IssuedAt.Time().Equal(issued.Truncate(time.Second)) || !c.Expiry.Time().Equal(issued.Add(time.Hour).Truncate(time.Second)) || c.ID == "" ||
		c.AuthTime != authTime.Unix() || c.Level != "chat" {
		t.Errorf("%+v", c)
	}
	want := fmt.Sprintf(`{"active":true,"scope":"guest journal:write","client_id":"%s","sub":"user_ann","aud":"%s","iss":"%s","exp":%d,"iat":%d,"token_type":"Bearer","auth_time":%d,"acr":"chat"}`,
		g.client, filesURL, h.issuer, issued.Add(time.Hour).Unix(), issued.Unix(), authTime.Unix())
	if body := h.introspect(t, g.access); body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	for what, text := range map[string]string{"introspection": want, "the JWT": fmt.Sprint(c)} {
		if strings.Contains(text, "@") {
			t.Errorf("%s has an address", what)
		}
	}
	if status, _ := g.post(t, "tools/list", `{}`); status != http.StatusUnauthorized { // T44
		t.Errorf("at our endpoint: %d", status)
	}
	if body := h.introspect(t, h.guestOf(t, mapsURL).access); body != `{"active":false}` {
		t.Errorf("a token for maps: %s", body)
	}

	// X75: what is revoked is dead for who asks, and dies of its age for who does
	// not.
	h.postForm(t, "/revoke", url.Values{"client_id": {g.client}, "token": {g.access}})
	if body := h.introspect(t, g.access); body != `{"active":false}` {
		t.Errorf("revoked: %s", body)
	}
	if _, err := v.verify(t, g.access); err != nil {
		t.Errorf("by itself: %v", err)
	}
	h.advance(time.Hour + time.Second)
	if _, err := v.verify(t, g.access); err == nil {
		t.Error("an expired JWT is taken")
	}
}

// A new key signs at once, and what the old one has signed is verified while it
// is published.
func TestKeysRotate(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edKey := ed25519.NewKeyFromSeed(make([]byte, 32))
	const newSecret, oldSecret = "a newer secret of the tests, of nobody", "a secret of the tests, and of nobody else"
	for name, steps := range map[string][3]func(*Config){
		"secrets": {
			func(cfg *Config) {},
			func(cfg *Config) { cfg.Secrets = []string{newSecret, oldSecret} },
			func(cfg *Config) { cfg.Secrets = []string{newSecret} },
		},
		"keys": {
			func(cfg *Config) { cfg.SigningKeys = []crypto.Signer{edKey} },
			func(cfg *Config) { cfg.SigningKeys = []crypto.Signer{rsaKey, edKey} },
			func(cfg *Config) { cfg.SigningKeys = []crypto.Signer{rsaKey} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			step := 0
			h := newHouse(t, elsewhere, func(cfg *Config) { steps[step](cfg) })
			v := &offline{house: h}
			g := h.guestOf(t, filesURL)
			g.claim(t, "user_ann")
			g.renew(t)
			old := g.access
			if _, err := v.verify(t, old); err != nil || v.fetches != 1 {
				t.Fatalf("%v, %d fetches", err, v.fetches)
			}
			step = 1
			h.restart()
			g.renew(t)
			for which, token := range map[string]string{"the new one": g.access, "the old one": old} {
				if _, err := v.verify(t, token); err != nil {
					t.Errorf("%s: %v", which, err)
				}
			}
			if v.fetches != 2 || len(v.keys.Keys) != 2 {
				t.Errorf("%d fetches, %d keys", v.fetches, len(v.keys.Keys))
			}
			step = 2
			h.restart()
			late := &offline{house: h}
			if _, err := late.verify(t, g.access); err != nil {
				t.Errorf("the new one: %v", err)
			}
			if _, err := late.verify(t, old); err == nil {
				t.Error("the old key is gone, and its token verified")
			}
			if body := h.introspect(t, old); !strings.HasPrefix(body, `{"active":true,`) {
				t.Errorf("who asks needs no key: %s", body)
			}
			g.renew(t)
			if _, err := late.verify(t, g.access); err != nil {
				t.Error(err)
			}
		})
	}
}

// X73: a JWT of our own making that we have not issued is nothing at an endpoint
// either, however it is signed.
func TestX73ForgedJWTsOpenNoEndpoint(t *testing.T) {
	h := newHouse(t, elsewhere)
	keys := h.kit.keys.SigningKeys()
	claims := map[string]any{"iss": h.issuer, "sub": "user_ann", "aud": h.issuer + "/mcp", "client_id": "client_1", "scope": "guest journal:write",
		"iat": h.clock().Unix(), "exp": h.clock().Add(time.Hour).Unix(), "jti": "x"}
	published, err := json.Marshal(h.kit.jwks)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]jose.SigningKey{
		"signed by our own key":      {Algorithm: jose.ES256, Key: keys[0]},
		"HS256 under the public key": {Algorithm: jose.HS256, Key: published},
		"HS256 under the secret":     {Algorithm: jose.HS256, Key: []byte("a secret of the tests, and of nobody else")},
	} {
		signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", h.kit.jwks.Keys[0].ID))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		for how, token := range map[string]string{"": token, ", unsigned": "eyJhbGciOiJub25lIn0." + parts[1] + "."} {
			g := &guest{house: h, access: token}
			if status, _ := g.post(t, "tools/list", `{}`); status != http.StatusUnauthorized {
				t.Errorf("%s%s: %d", name, how, status)
			}
			if body := h.introspect(t, token); body != `{"active":false}` {
				t.Errorf("%s%s: %s", name, how, body)
			}
		}
	}
}
