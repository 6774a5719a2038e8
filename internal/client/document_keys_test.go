package client

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// R-75 and X34: a document's keys prove its client, whether they stand in it or
// elsewhere; without a proof only a client that offers none as well is believed.
func TestADocumentsKeysProveItsClient(t *testing.T) {
	own, other := newPair(t, "own"), newPair(t, "other")
	set := string(setOf(t, own.jwk()))
	for _, test := range []struct {
		name    string
		members []string
		public  bool // whether it is believed without a proof
	}{
		{"keys in the document, and nothing else will do", []string{"token_endpoint_auth_method", `"private_key_jwt"`, "jwks", set}, false},
		{"keys elsewhere", []string{"token_endpoint_auth_method", `"private_key_jwt"`, "jwks_uri", "<keys>"}, false},
		{"keys or nothing, as ChatGPT", []string{"token_endpoint_auth_method", `"private_key_jwt"`, "token_endpoint_auth_methods_supported", `["private_key_jwt","none"]`, "jwks", set}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, h := newReader(t)
			for i, m := range test.members {
				if m == "<keys>" {
					test.members[i] = `"` + h.URL + `/keys"`
				}
			}
			document := says(h.id(), test.members...)
			h.serves(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.URL.Path == "/keys" {
					document := set
					io.WriteString(w, document)
					return
				}
				io.WriteString(w, document)
			})
			if c, err := f.Authenticate(t.Context(), own.signed(t, jose.ES256, f.claims(h.id()))); err != nil || c.ID != h.id() {
				t.Errorf("its own key: %+v, %v", c, err)
			}
			if _, err := f.Authenticate(t.Context(), other.signed(t, jose.ES256, f.claims(h.id()))); err == nil {
				t.Error("another's key proves it")
			}
			if _, err := f.Authenticate(t.Context(), Credentials{ClientID: h.id()}); (err == nil) != test.public {
				t.Errorf("without a proof: %v", err)
			}
			f.clock = f.clock.Add(time.Second)
			stolen := own.signed(t, jose.ES256, f.claims("https://other.example/client.json"))
			stolen.ClientID = h.id()
			if _, err := f.Authenticate(t.Context(), stolen); err == nil {
				t.Error("an assertion for another client proves it")
			}
		})
	}
}
