package foyer

import (
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"golang.org/x/oauth2"
)

// A documentHost serves the metadata document of one client, by https and on
// this device, until it fails.
type documentHost struct {
	*httptest.Server
	fails atomic.Bool
	moved atomic.Bool // its redirect URI is another
	asks  atomic.Int32

	control string // of caches
}

func newDocumentHost(t *testing.T) *documentHost {
	t.Helper()
	d := &documentHost{control: "max-age=600"}
	d.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.asks.Add(1)
		if d.fails.Load() {
			http.Error(w, "{}", http.StatusForbidden)
			return
		}
		uri := redirectURI
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", d.control)
		if d.moved.Load() {
			uri = "http://127.0.0.1/elsewhere"
		}
		fmt.Fprintf(w, `{"client_id": %q, "client_name": "The SDK", "redirect_uris": [%q]}`, d.id(), uri)
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *documentHost) id() string { return d.URL + "/client.json" }

// anywhere has a kit read the document of d.
func (d *documentHost) anywhere(cfg *Config) {
	cfg.MetadataDocuments.DangerouslyFetchFromAnywhere = true
	cfg.MetadataDocuments.roots = x509.NewCertPool()
	cfg.MetadataDocuments.roots.AddCert(d.Certificate())
}

func (d *documentHost) client() *auth.AuthorizationCodeHandlerConfig {
	return &auth.AuthorizationCodeHandlerConfig{ClientIDMetadataDocumentConfig: &auth.ClientIDMetadataDocumentConfig{URL: d.id()}}
}

// R-66, X24, X34: the story of the README by a client that never registers. Its
// user stays signed in through a restart, while the client's host turns us away.
func TestR66TheStoryOfAClientThatIsADocument(t *testing.T) {
	d := newDocumentHost(t)
	h := newHouse(t, d.anywhere)
	c := h.sdkClientOf(t, d.client(), nil)
	if res, text := c.call(t, "list_entries", nil); !res.IsError || !strings.Contains(text, "call authenticate") {
		t.Errorf("a locked tool: %s", text)
	}
	c.call(t, "authenticate", map[string]any{"email": "ann@example.com"})
	mail := h.mail(t, "ann@example.com")
	if !strings.Contains(mail, "The SDK") {
		t.Errorf("the mail does not name the client:\n%s", mail)
	}
	if res, text := c.call(t, "validate_token", map[string]any{"code": digitsIn(t, mail)}); res.IsError {
		t.Fatalf("validate_token: %s", text)
	}
	if res, text := c.call(t, "list_entries", nil); res.IsError {
		t.Errorf("the same call: %s", text)
	}
	if d.asks.Load() != 1 || c.opened.Load() != 1 {
		t.Errorf("the document was fetched %d times, the browser opened %d times; want once each", d.asks.Load(), c.opened.Load())
	}
	db, err := sql.Open("sqlite", filepath.Join(h.dir, "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var ids string
	if err := db.QueryRow("SELECT group_concat(id) FROM foyer_clients").Scan(&ids); err != nil || ids != d.id() {
		t.Errorf("the clients are %s, %v; want the document's alone", ids, err)
	}

	d.fails.Store(true)
	h.restart()
	h.advance(2 * time.Hour) // the access token has ended, and the document is not fresh
	source, err := c.handler.TokenSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.PostForm(h.issuer+"/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {d.id()}, "refresh_token": {stored.RefreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var renewed oauth2.Token
	if err := json.NewDecoder(res.Body).Decode(&renewed); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("after a restart, with the host down: %d, %v", res.StatusCode, err)
	}
	again := h.connect(t, staticHandler{oauth2.StaticTokenSource(&oauth2.Token{AccessToken: renewed.AccessToken})}, nil)
	if _, who := callTool(t, again, "whoami", nil); who != "Signed in as a***@example.com." {
		t.Errorf("after a restart, with the host down: %s", who)
	}
	if d.asks.Load() != 2 || c.opened.Load() != 1 {
		t.Errorf("the document was asked for %d times, the browser opened %d times; want twice and once", d.asks.Load(), c.opened.Load())
	}
}

// T40: with a config that has no danger in it, a client may name any URL, and
// nobody on this device is asked.
func TestT40AKitAsksNobodyOnItsOwnDevice(t *testing.T) {
	d := newDocumentHost(t)
	h := newHouse(t, func(cfg *Config) { d.anywhere(cfg); cfg.MetadataDocuments.DangerouslyFetchFromAnywhere = false })
	for id, want := range map[string]int{
		d.id():                              http.StatusBadRequest, // its port is not 443
		"https://127.0.0.1/client.json":     http.StatusServiceUnavailable,
		"https://[::1]/client.json":         http.StatusServiceUnavailable,
		"https://localhost/client.json":     http.StatusServiceUnavailable,
		"https://169.254.169.254/latest/me": http.StatusServiceUnavailable,
		"https://2130706433/client.json":    http.StatusBadRequest,
		"http://127.0.0.1/client.json":      http.StatusBadRequest,
	} {
		res, err := http.Get(h.issuer + "/authorize?client_id=" + id + "&redirect_uri=" + redirectURI)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || !strings.Contains(string(page), "<h1>The app") {
			t.Errorf("%s: %d, want %d\n%s", id, res.StatusCode, want, page)
		}
	}
	if n := d.asks.Load(); n != 0 {
		t.Errorf("%d requests came", n)
	}
}

// What is off is neither read nor announced; what is on is announced, so that
// clients need not register.
func TestMetadataDocumentsCanBeOff(t *testing.T) {
	for _, off := range []bool{false, true} {
		h := newHouse(t, func(cfg *Config) { cfg.MetadataDocuments.Off = off })
		res, err := http.Get(h.issuer + "/.well-known/oauth-authorization-server")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if announced := strings.Contains(string(text), `"client_id_metadata_document_supported":true`); announced == off {
			t.Errorf("off: %v, announced: %v", off, announced)
		}
	}
}
