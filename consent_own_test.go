package foyer

import (
	"html/template"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/foyer/examples/journal"
)

var ownPage = template.Must(template.New("own").Parse(`<main><h1>May {{.Client}}?</h1><form method="post" action="/consent">
{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
{{range .Scopes}}<input type="checkbox" name="scope" value="{{.Name}}" checked> {{.Words}}{{end}}
<button name="decision" value="allow">Yes</button></form>
{{if .Guest}}<form method="post" action="/authorize"><input type="hidden" name="request" value="{{index .Hidden "request"}}"><button>Guest</button></form>{{end}}`))

// ownConsent has an operator's page ask, and keeps what it was last given.
func ownConsent(last *Consent) func(*Config) {
	return func(cfg *Config) {
		cfg.Consent = func(w http.ResponseWriter, _ *http.Request, c Consent) {
			*last = c
			ownPage.Execute(w, c)
		}
	}
}

// The operator's own page asks what ours would, under headers of ours; every answer to
// ours is one to it.
func TestConsentIsAskedForOnTheOperatorsPage(t *testing.T) {
	var shown Consent
	h := newHouse(t, ownConsent(&shown))
	b, client := h.browser(t), h.client(t, `<b>App”`+"\u202e")
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:write journal:export", "state", "xyz")), "ann@example.com")
	wantsPage(t, "the page", page, http.StatusOK, "<h1>May &lt;b&gt;App?</h1>")
	want := Consent{App: "Journal", Client: "<b>App", Host: "127.0.0.1:33418", Device: true, Account: "a***@example.com", Scopes: journal.Scopes, Ticked: []string{"journal:write"}, Guest: true, Hidden: shown.Hidden}
	if !reflect.DeepEqual(shown, want) || len(shown.Hidden) != 2 {
		t.Errorf("the page got %+v,\nwant %+v", shown, want)
	}
	for name, want := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
		if got := page.header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	wantsPage(t, "another account", b.fill(t, page, 0, url.Values{"decision": {"other"}}), http.StatusOK, "Mail me a code")
	if r := b.fill(t, page, 0, url.Values{"decision": {"deny"}}); !strings.Contains(r.header.Get("Refresh"), "error=access_denied") || !strings.Contains(r.header.Get("Refresh"), "state=xyz") {
		t.Errorf("a no: %d %v", r.status, r.header)
	}
	if g := b.redeemed(t, b.fill(t, page, 1, url.Values{}), client); g.bearer(t).Grant.UserID != "" {
		t.Error("a guest is somebody")
	}
	if gr := b.redeemed(t, b.fill(t, page, 0, url.Values{"decision": {"allow"}, "scope": {"journal:export"}}), client).bearer(t).Grant; gr.ApprovedBy != "browser" || !reflect.DeepEqual(gr.Scopes, []string{"guest", "journal:export"}) {
		t.Errorf("the grant: %+v", gr)
	}
	page = b.follow(t, b.authorize(t, client, "scope", "journal:write", "prompt", "consent"))
	if wantsPage(t, "once more", page, http.StatusOK, "May"); !reflect.DeepEqual(shown.Kept, []string{"journal:export"}) {
		t.Errorf("what it has already: %q", shown.Kept)
	}
	page.body = strings.Replace(page.body, `name="form"`, `name="lost"`, 1)
	if r := b.fill(t, page, 0, url.Values{"decision": {"allow"}}); r.status != http.StatusForbidden || r.header.Get("Refresh") != "" {
		t.Errorf("a page that leaves out what it was given: %d", r.status)
	}
}

// For a client that the operator has listed nobody need warn.
func TestListedClientsAreVouchedFor(t *testing.T) {
	const at = "https://desk.example/callback"
	h := newHouse(t, func(cfg *Config) {
		cfg.Clients = []Client{{ID: "desk", Name: "The Help Desk", RedirectURIs: []string{at}}}
	})
	var registered struct {
		ID string `json:"client_id"`
	}
	h.postJSON(t, "/register", `{"client_name":"The Help Desk","redirect_uris":["`+at+`"]}`, http.StatusCreated, &registered)
	for id, warns := range map[string]bool{"desk": false, registered.ID: true} {
		b := h.browser(t)
		h.advance(2 * time.Minute) // a mailbox gets one mail a minute
		page := b.signsIn(t, b.follow(t, b.authorize(t, id, "redirect_uri", at, "scope", "journal:export")), "ann@example.com")
		if wantsPage(t, id, page, http.StatusOK, "“The Help Desk”", "desk.example"); strings.Contains(page.body, "Nobody has checked") != warns {
			t.Errorf("%s: warned is not %v: %s", id, warns, page.body)
		}
	}
}
