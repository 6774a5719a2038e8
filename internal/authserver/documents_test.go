package authserver

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/fetch"
	"example.com/foyer/store"
)

// A documentHost is where clients describe themselves: at any path stands the
// document of that URL, with the redirect URIs and the other members of the
// moment.
type documentHost struct {
	*httptest.Server
	uris, rest atomic.Value // of string: JSON
	fails      atomic.Bool
	asks       atomic.Int32
}

// documents has r read the documents of a new host.
func (r *room) documents(trust client.Trust) *documentHost {
	r.t.Helper()
	h := &documentHost{}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h.asks.Add(1)
		if h.fails.Load() {
			http.Error(w, "{}", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"client_id": "%s%s", "client_name": "Docs", "redirect_uris": %s %s}`, h.URL, req.URL.Path, h.uris.Load(), h.rest.Load())
	}))
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	r.t.Cleanup(h.Close)
	h.says(fmt.Sprintf(`["%s/cb", %q, %q, %q, "javascript:x"]`, h.URL, loopback, foreign, private), "")
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	rules := r.Clients.Config
	fetcher := fetch.New(fetch.Config{DangerouslyFromAnywhere: true, Roots: roots})
	rules.Documents, rules.Fetch = client.NewDocuments(fetcher, trust), fetcher.Body
	var err error
	if r.Clients, err = client.New(rules); err != nil {
		r.t.Fatal(err)
	}
	return h
}

func (h *documentHost) says(uris, rest string) { h.uris.Store(uris); h.rest.Store(rest) }

func (h *documentHost) id() string { return h.URL + "/client.json" }

func (h *documentHost) host() string { return strings.TrimPrefix(h.URL, "https://") }

// T41, T49: what becomes of the requests of
// clients that are known by a document.
func TestR66AuthorizeByADocument(t *testing.T) {
	r := newRoom(t)
	closed := httptest.NewTLSServer(nil)
	closed.Close()
	h := r.documents(client.Trust{})
	ask := func(uri string, changes ...string) url.Values { return good(h.id(), uri, changes...) }
	const (
		wrong = "400 The app describes itself wrongly"
	)
	for _, test := range []struct {
		name  string
		query url.Values
		want  string
	}{
		{"loopback", ask(loopback), "302 " + loopback + gives},
		{"another port on loopback", ask("http://127.0.0.1:5/callback"), "302 http://127.0.0.1:5/callback" + gives},
		{"its own origin (T49)", ask(h.URL + "/cb"), "302 " + h.URL + "/cb" + gives},
		{"another origin (R-45, T49)", ask(foreign), "200 Continue to app.example? [button]"},
		{"a private-use scheme (R-45)", ask(private), "200 Continue to com.example.app (an app on this device)? [button]"},
		{"a scope of a person, on loopback (T41)", ask(loopback, "scope", "notes:write"), asks},
		{"a scope of a person, to its own origin", ask(h.URL+"/cb", "scope", "notes:write"), asks},
		{"a mistake, to its own origin", ask(h.URL+"/cb", "response_type", "token"), "302 " + h.URL + "/cb" + refused("unsupported_response_type", "response_type must be code")},
		{"a mistake, to another", ask(foreign, "response_type", "token"), "400 The app made a mistake -> " + foreign + refused("unsupported_response_type", "response_type must be code")},
		{"a redirect URI that the document has not (R-70)", ask(h.URL + "/other"), astray},
		{"one that it has and that cannot be accepted", ask("javascript:x"), astray},
		{"no path (R-67)", good(h.URL, loopback), wrong},
		{"a query (R-67)", good(h.id()+"?a", loopback), wrong},
		{"a fragment (R-67)", good(h.id()+"#a", loopback), wrong},
		{"dot segments (R-67)", good(h.URL+"/a/../client.json", loopback), wrong},
		{"http (R-67)", good(strings.Replace(h.id(), "https", "http", 1), loopback), wrong},
		{"a host where nobody answers", good(closed.URL+"/client.json", loopback), "503 The app’s description cannot be read"},
	} {
		if got := outcome(r.authorize(test.query)); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
	if h.asks.Load() != 1 {
		t.Errorf("the host was asked %d times, want once", h.asks.Load())
	}
	r.documents(client.Trust{Hosts: []string{"claude.ai"}})
	if got := outcome(r.authorize(ask(loopback))); got != "400 Apps from there are not taken" {
		t.Errorf("R-78: a host that is not trusted: %s", got)
	}
	other := r.documents(client.Trust{})
	other.says(`["`+loopback+`"]`, `, "client_secret": "x"`)
	if got := outcome(r.authorize(good(other.id(), loopback))); got != wrong {
		t.Errorf("R-75: a document with a secret: %s", got)
	}
	if r.log.String() != "" {
		t.Errorf("a refusal was logged as a fault: %s", r.log)
	}
}

// T49: without a page to the document's own origin, and to whom anybody's
// browser may be sent.
func TestT49TheOwnOriginOfADocumentNeedsNoPage(t *testing.T) {
	const document = "https://app.example/client.json"
	for _, test := range []struct {
		client, uri string
		want        bool
	}{
		{document, "https://app.example/cb", true},
		{document, "https://app.example:443/cb", true},
		{document, loopback, true},
		{document, claude, true},
		{document, "https://other.example/cb", false},
		{document, "https://www.app.example/cb", false},
		{document, "https://app.example:8443/cb", false},
		{document, "https://app.example.evil.example/cb", false},
		{document, private, false},
		{"client_X", "https://app.example/cb", false},
		{"", "https://app.example/cb", false},
	} {
		req := request{Client: store.Client{ID: test.client}, RedirectURI: test.uri}
		if got := req.trusted(); got != test.want {
			t.Errorf("%s to %s: %v, want %v", test.client, test.uri, got, test.want)
		}
		if got := next(req, false, false); (got == give) != test.want || next(req, true, false) != askGuest || next(req, false, true) != askPerson {
			t.Errorf("%s to %s: step %v", test.client, test.uri, got)
		}
	}
}

// pages name the host that a document is from, beside the host to which
// they lead.
func TestR76PagesNameTheHostOfADocument(t *testing.T) {
	r := newRoom(t)
	h := r.documents(client.Trust{})
	for name, q := range map[string]url.Values{
		"leaving":        good(h.id(), foreign),
		"mistake":        good(h.id(), foreign, "response_type", "token"),
		"wrong redirect": good(h.id(), "https://evil.example/cb"),
	} {
		if body := r.authorize(q).Body.String(); !strings.Contains(body, "“Docs” (from "+h.host()+")") {
			t.Errorf("%s does not name %s:\n%s", name, h.host(), body)
		}
	}
	h.fails.Store(true)
	body := r.authorize(good(h.URL+"/other", loopback)).Body.String()
	if !strings.Contains(body, "describes itself at "+h.host()) || !strings.Contains(body, "connect again") {
		t.Errorf("a document that cannot be read:\n%s", body)
	}
}

// The whole of a client's life by its document: nothing is written before a code
// is redeemed, then it is remembered, through a restart and a host that is down
// (X24, X34).
func TestX24AClientThatIsADocumentIsRememberedByItsRedemption(t *testing.T) {
	r := newRoom(t)
	h := r.documents(client.Trust{})
	record := func() (c store.Client, err error) {
		err = r.store.View(t.Context(), func(tx store.Tx) error { c, err = tx.Client(t.Context(), h.id()); return err })
		return c, err
	}
	code := r.code(h.id(), loopback)
	if _, err := record(); err != store.ErrNotFound {
		t.Errorf("before the redemption: %v", err)
	}
	issued := r.redeem(h.id(), loopback, code)
	c, err := record()
	if err != nil || c.Name != "Docs" || len(c.RedirectURIs) != 4 || c.Document == nil || !c.LastUsed.Equal(r.clock()) || !c.Created.Equal(r.clock()) {
		t.Errorf("the record is %+v, %v", c, err)
	}
	r.claim(issued.access, "jane@example.com")

	h.fails.Store(true)
	for range 4 { // a refresh a week, each after a restart
		r.advance(7 * day)
		down := r.documents(client.Trust{}) // a fetcher and a memory that know nothing
		down.Close()
		issued = tokensIn(t, r.post("/token", renewal(h.id(), issued.refresh)))
	}
	if user, ok := r.works(issued.access); !ok || user == "" {
		t.Errorf("the user is %q, %v", user, ok)
	}
	for {
		n := 0
		r.update(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.DeleteExpired(ctx, r.clock(), 100)
			return err
		})
		if n == 0 {
			break
		}
	}
	if _, err := record(); err != nil {
		t.Errorf("it was cleared away under a live grant: %v", err)
	}
}

// A new document reaches the record by the next redemption or refresh, and no
// hotter.
func TestTheRecordFollowsTheDocument(t *testing.T) {
	r := newRoom(t)
	h := r.documents(client.Trust{})
	issued := r.redeem(h.id(), loopback, r.code(h.id(), loopback))
	name := func() (c store.Client) {
		r.update(func(ctx context.Context, tx store.Tx) (err error) { c, err = tx.Client(ctx, h.id()); return err })
		return c
	}
	first := name()
	r.advance(time.Hour)
	issued = tokensIn(t, r.post("/token", renewal(h.id(), issued.refresh)))
	if got := name(); !got.LastUsed.Equal(first.LastUsed) || !got.Fresh.Equal(first.Fresh) {
		t.Errorf("nothing was new, and it was written: %+v", got)
	}
	h.says(`["`+loopback+`"]`, "")
	r.advance(time.Hour)
	issued = tokensIn(t, r.post("/token", renewal(h.id(), issued.refresh)))
	if got := name(); len(got.RedirectURIs) != 1 || string(got.Document) == string(first.Document) {
		t.Errorf("the document has changed, and the record is %+v", got)
	}
	h.says(`["`+loopback+`"]`, `, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/keys"`)
	r.advance(time.Hour)
	if w := r.post("/token", renewal(h.id(), issued.refresh)); w.Code != http.StatusUnauthorized || object(t, w)["error"] != "invalid_client" {
		t.Errorf("R-75: who says that it has keys, and sends none: %d %s", w.Code, w.Body)
	}
}

// T40: an address may have us ask ten hosts a minute that are new here; what is
// at hand is not counted.
func TestT40StrangersDocumentsAreCounted(t *testing.T) {
	r := newRoom(t, counted)
	h := r.documents(client.Trust{})
	ask := func(path, addr string) string {
		return outcome(r.authorize(good(h.URL+path, loopback), "Remote: "+addr+":1"))
	}
	const gets, crowded = "302 " + loopback + gives, "429 Too many new apps at once"
	for i := range 10 {
		if got := ask(fmt.Sprint("/", i), "192.0.2.1"); got != gets {
			t.Fatalf("number %d: %s", i+1, got)
		}
	}
	for _, step := range []struct{ name, path, addr, want string }{
		{"an eleventh", "/10", "192.0.2.1", crowded},
		{"one of the ten", "/0", "192.0.2.1", gets},
		{"the eleventh, from another address", "/10", "192.0.2.2", gets},
		{"now it is at hand", "/10", "192.0.2.1", gets},
	} {
		if got := ask(step.path, step.addr); got != step.want {
			t.Errorf("%s: %s", step.name, got)
		}
	}
	w := r.post("/token", renewal(h.URL+"/token", "fyr_x"), "Remote: 192.0.2.1:1")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || h.asks.Load() != 11 {
		t.Errorf("at /token: %d %v, %d fetches", w.Code, w.Header(), h.asks.Load())
	}
	r.advance(minute)
	if got := ask("/12", "192.0.2.1"); got != gets {
		t.Errorf("after a minute: %s", got)
	}
}

// that documents are read is announced where it is so.
func TestR19DocumentsAreAnnounced(t *testing.T) {
	r := newRoom(t)
	for _, on := range []bool{false, true} {
		if on {
			r.documents(client.Trust{})
			r.mux = http.NewServeMux()
			r.Mount(r.mux)
		}
		if got := object(t, r.send(http.MethodGet, "/.well-known/oauth-authorization-server", ""))["client_id_metadata_document_supported"]; got != on {
			t.Errorf("announced: %v, want %v", got, on)
		}
	}
}
