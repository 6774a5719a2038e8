package foyer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/foyer/mail"
)

// A story plays everything that clients do, well and badly, with a canary in
// every field.
type story struct {
	*house
	t        *testing.T
	rec      *recorder
	store    *faulty
	sender   *failing
	canaries []canary
}

// failing is a sender that fails while it is told to, as mail servers do.
type failing struct {
	mail.Sender
	fails bool
}

func (f *failing) Send(ctx context.Context, m mail.Message) error {
	if f.fails {
		return fmt.Errorf("550 5.1.1 <%s>: recipient unknown", m.To)
	}
	return f.Sender.Send(ctx, m)
}

func newStory(t *testing.T) *story {
	s := &story{t: t, rec: &recorder{}, store: &faulty{}, sender: &failing{}}
	s.house = newHouseWith(t, planted, withPlanted, func(cfg *Config) {
		s.store.Store, s.sender.Sender = cfg.Store, cfg.Mail
		cfg.Store, cfg.Mail = s.store, s.sender
		s.canary("configured secret", cfg.Secrets[0])
	})
	s.wire = s.rec
	s.canary("verifier", verifier)
	s.rec.headers = http.Header{
		"User-Agent":  {s.mark("agent")},
		"Referer":     {"https://" + s.mark("referer") + ".example/"},
		"X-Canary":    {s.mark("header")},
		"X-Forwarded": {s.mark("forwarded")},
		"Cookie":      {"theme=" + s.mark("cookie")},
	}
	return s
}

func (s *story) canary(kind, value string, allowed ...string) string {
	s.canaries = append(s.canaries, canary{kind: kind, value: value, allowed: func(name string) bool {
		for _, pattern := range allowed {
			if regexp.MustCompile("^(?:" + pattern + ")").MatchString(name) {
				return true
			}
		}
		return false
	}})
	return value
}

// mark makes a canary that may be seen in places whose names match.
func (s *story) mark(kind string, allowed ...string) string {
	return s.canary(kind, fmt.Sprintf("zq%dcanary%s", len(s.canaries), strings.ReplaceAll(kind, " ", "")), allowed...)
}

// Where canaries may be.
const (
	inStore    = `file foyer\.db|table foyer_`
	inJournal  = `file journal\.db|table entries`
	inMail     = `mail `
	inMCP      = `response \d+ to POST /mcp: body`
	inLocation = `response \d+ to GET /authorize: Location`
	inPage     = `response \d+ to (?:GET|POST) /authorize: (?:body|Refresh)`
	inRegister = `response \d+ to POST /register: body`
)

// address is of somebody whose own mails may name it, and nobody else's.
func (s *story) address() string {
	value := fmt.Sprintf("zq%dcanaryaddress", len(s.canaries))
	return s.canary("address", value, inStore, inMail+value+"@") + "@example.com"
}

// bad sends a request that is wrong somewhere; nobody looks at the answer now.
func (s *story) bad(method, path, contentType, body string, headers ...string) {
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.issuer+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res := s.send(s.t, r)
	res.Body.Close()
	if res.StatusCode >= 500 && !s.store.off.Load() && !s.store.commits.Load() {
		s.t.Errorf("%s %s: %d", method, path, res.StatusCode)
	}
}

const form, inJSON = "application/x-www-form-urlencoded", "application/json"

// play signs in in a browser, in the chat and anew, and makes every mistake.
func (s *story) play() {
	t := s.t
	b := s.browser(t)
	name := s.mark("client name", inStore, inMail, inRegister, inPage)
	var registered struct {
		ID string `json:"client_id"`
	}
	s.postJSON(t, "/register", `{"client_name":"`+name+`","redirect_uris":["`+redirectURI+`"],"client_uri":"https://`+s.mark("client uri")+`.example",`+
		`"contacts":["`+s.mark("contact")+`"],"jwks":{"keys":["`+s.mark("jwks")+`"]},"`+s.mark("member")+`":1}`, http.StatusCreated, &registered)
	client := registered.ID
	s.mistakesBefore(b, client)

	page := b.authorize(t, client, "state", s.mark("state", inLocation), "nonce", s.mark("nonce"), "login_hint", s.mark("hint"))
	code := codeIn(t, page.header.Get("Location"))
	s.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {s.mark("wrong verifier")}})
	g := &guest{house: s.house, client: client}
	g.access, g.refresh = s.redeem(t, client, code)

	address := s.address()
	g.digits(t, address)
	s.advance(61 * time.Second)
	right := g.digits(t, address) // the first are worth nothing now
	g.call(t, "validate_token", `{"code":"`+wrong(right)+`"}`)
	g.call(t, "validate_token", `{"code":"`+s.mark("code")+`","more":"`+s.mark("argument")+`"}`)
	g.call(t, "whoami", "")
	if a := g.call(t, "validate_token", `{"code":"`+right+`"}`); a.isError {
		t.Fatalf("validate_token: %s", a.raw)
	}
	a := g.call(t, "create_entry", `{"title":"`+s.mark("title", inJournal, inMCP)+`","content":"`+s.mark("content", inJournal, inMCP)+`"}`)
	id, _ := a.data["id"].(string)
	g.works(t, "after the claim")
	for _, message := range [][2]string{
		{"resources/read", `{"uri":"journal://entries/` + id + `"}`},
		{"prompts/get", `{"name":"reflect","arguments":{"period":"` + s.mark("period", inMCP) + `"}}`},
		{"completion/complete", `{"ref":{"type":"ref/prompt","name":"reflect"},"argument":{"name":"period","value":"` + s.mark("completed") + `"}}`},
		{"tools/list", ""},
		{"server/discover", ""},
	} {
		g.post(t, message[0], message[1])
	}
	s.questions(g, id)
	s.session(g)
	s.mistakesWithAToken(g)
	stolen := g.refresh
	g.renew(t)
	g.works(t, "after a refresh")
	g.refreshed(t, stolen) // within the overlap

	page = b.authorize(t, client, "state", s.mark("state of a page", inPage))
	second := &guest{house: s.house, client: client}
	second.access, second.refresh = s.redeem(t, client, codeIn(t, strings.TrimPrefix(b.press(t, page).header.Get("Refresh"), "0; url=")))
	s.advance(61 * time.Second)
	second.signIn(t, address)
	second.call(t, "logout", "")

	s.kit.grants.Close()
	g.refreshed(t, stolen) // which ends the grant
	g.call(t, "whoami", "")
	s.postForm(t, "/revoke", url.Values{"client_id": {client}, "token": {second.refresh}})
	s.kit.mail.Flush(t.Context())
	s.replay(g, right)
}

// questions asks before an entry is deleted, and is answered well and badly.
func (s *story) questions(g *guest, id string) {
	t := s.t
	say := func(extra string) (body string) {
		res := s.send(t, g.asking(t, `{"name":"delete_entry","arguments":{"id":"`+id+`"}`+extra+`}`))
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	state := field(say(""), `"requestState":"([^"]+)"`)
	key := field(say(""), `"inputRequests":{"([^"]+)"`)
	answer := `,"inputResponses":{"` + key + `":{"action":"accept","content":{"delete":"` + s.mark("answer", inMCP) + `"}}}`
	say(answer)
	say(answer + `,"requestState":"` + s.mark("made-up state") + `"`)
	say(answer + `,"requestState":"` + state + `x"`)
	say(answer + `,"requestState":"` + state + `"`)
	say(`,"inputResponses":{"` + s.mark("made-up question") + `":{"action":"decline"}},"requestState":"` + state + `"`)
}

// session is what an older client opens.
func (s *story) session(g *guest) {
	bearer := []string{"Authorization", "Bearer " + g.access, "Accept", "application/json, text/event-stream"}
	s.bad("POST", "/mcp", inJSON, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"`+s.mark("client info")+`","version":"1"}}}`, bearer...)
	for _, c := range s.rec.issued {
		if c.kind == "session ID" {
			s.bad("POST", "/mcp", inJSON, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"whoami"}}`, append(bearer, "Mcp-Session-Id", c.value)...)
			s.bad("DELETE", "/mcp", inJSON, "", append(bearer, "Mcp-Session-Id", c.value)...)
			s.bad("POST", "/mcp", inJSON, `{"jsonrpc":"2.0","id":3,"method":"ping"}`, append(bearer, "Mcp-Session-Id", c.value)...)
		}
	}
}

// replay answers with digits that were used.
func (s *story) replay(g *guest, digits string) {
	s.t.Helper()
	for _, other := range []*guest{s.guest(s.t), s.guest(s.t)} {
		if a := other.call(s.t, "validate_token", `{"code":"`+digits+`"}`); !a.isError {
			s.t.Errorf("digits of a transcript: %s", a.raw)
		}
	}
}

// mistakesBefore are made by whoever has no token yet.
func (s *story) mistakesBefore(b *browser, client string) {
	t := s.t
	b.authorize(t, s.mark("client id"))
	b.authorize(t, client, "redirect_uri", "https://"+s.mark("redirect")+".example/cb")
	b.authorize(t, client, "scope", "journal:export "+s.mark("scope"), "state", s.mark("state of a refusal", inPage))
	b.authorize(t, client, "resource", "https://"+s.mark("resource")+".example")
	b.authorize(t, client, "response_type", s.mark("response type"), "state", s.mark("state of an error", inLocation))
	b.authorize(t, client, "code_challenge", s.mark("code challenge"), "prompt", s.mark("prompt"))
	s.bad("GET", "/authorize?client_id=%zz"+s.mark("query"), form, "")
	s.bad("POST", "/authorize", form, "request="+s.mark("request"))
	s.bad("POST", "/register", inJSON, `{"redirect_uris":["javascript:`+s.mark("redirect uri")+`"]}`)
	s.bad("POST", "/register", inJSON, `{"broken":"`+s.mark("broken metadata"))
	s.bad("POST", "/token", form, "grant_type="+s.mark("grant type"))
	s.bad("POST", "/token?code="+s.mark("code in the query"), form, "grant_type=authorization_code&client_id="+client+"&redirect_uri=x&code="+s.mark("sealed"))
	s.bad("POST", "/token", form, "grant_type=refresh_token&client_id="+client+"&refresh_token=fyr_"+s.mark("refresh token"))
	s.bad("POST", "/token", form, "grant_type=refresh_token&client_id="+client+"&client_secret="+s.mark("client secret")+"&refresh_token=x")
	s.bad("POST", "/token", form, "grant_type=refresh_token&refresh_token=x&client_id="+client, "Authorization", "Basic "+s.mark("basic"))
	s.bad("POST", "/token", inJSON, `{"grant_type":"`+s.mark("json grant type")+`"}`)
	s.bad("POST", "/revoke", form, "client_id="+client+"&token=fya_"+s.mark("revoked"))
	s.bad("GET", "/"+s.mark("path")+"?q="+s.mark("query of a path"), form, "")
	s.bad("POST", "/mcp?access_token="+s.mark("token in the query"), inJSON, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	s.bad("POST", "/mcp", inJSON, `{}`, "Authorization", "Bearer fya_"+s.mark("access token"))
	s.bad("POST", "/mcp", inJSON, `{}`, "Authorization", s.mark("scheme")+" x")
	s.bad("POST", "/mcp", inJSON, `{}`, "Origin", "https://"+s.mark("origin")+".example")
	s.bad("POST", "/mcp", inJSON, s.mark("body"))
}

// mistakesWithAToken are made by a user's client.
func (s *story) mistakesWithAToken(g *guest) {
	t := s.t
	bearer := []string{"Authorization", "Bearer " + g.access, "Accept", "application/json, text/event-stream"}
	for _, body := range []string{
		s.mark("text"), `{"jsonrpc":"2.0","id":1,"method":"` + s.mark("broken message"), `["` + s.mark("batch") + `"]`,
		`{"jsonrpc":"2.0","id":1,"id":2,"method":"` + s.mark("twice") + `"}`, `{"jsonrpc":"2.0","id":1,"method":["` + s.mark("typed method") + `"]}`,
		`{"jsonrpc":"2.0","id":"` + s.mark("id", inMCP) + `","method":"tools/call","params":"` + s.mark("params") + `"}`,
	} {
		s.bad("POST", "/mcp", inJSON, body, bearer...)
	}
	s.bad("POST", "/mcp", inJSON, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, append(bearer, "MCP-Protocol-Version", s.mark("version"))...)
	s.bad("GET", "/mcp", inJSON, "", append(bearer, "Mcp-Session-Id", s.mark("session"), "Last-Event-ID", s.mark("event"))...)
	g.call(t, s.mark("tool", inMCP), `{"a":"`+s.mark("argument of an unknown tool")+`"}`)
	g.call(t, "create_entry", `{"title":{"`+s.mark("typed title", inMCP)+`":1}}`)
	g.call(t, "get_entry", `{"id":"`+s.mark("entry id", inMCP)+`"}`)
	g.call(t, "export_journal", `{"format":"`+s.mark("argument of a refused tool")+`"}`)
	g.call(t, "authenticate", `{"email":"`+s.mark("address while signed in")+`@example.com"}`)
	g.call(t, "bursting", `{}`)
	g.post(t, s.mark("method", inMCP), `{"x":"`+s.mark("param")+`"}`)
	g.post(t, "resources/read", `{"uri":"journal://`+s.mark("uri", inMCP)+`"}`)
	g.post(t, "prompts/get", `{"name":"`+s.mark("prompt name", inMCP)+`"}`)
	g.post(t, "tools/list", `{"cursor":"`+s.mark("cursor", inMCP)+`"}`)
	other := s.guest(t)
	other.call(t, "authenticate", `{"email":"`+s.mark("no address")+`"}`)
	other.call(t, "authenticate", `{"email":["`+s.mark("typed address")+`"]}`)
	other.call(t, "validate_token", `{"code":{"`+s.mark("typed code")+`":1}}`)
}

// faults does it all once more while the store and the mail server fail.
func (s *story) faults() {
	t := s.t
	client := s.client(t, "Unlucky")
	g := s.browser(t).guest(t, client)
	address := s.address()
	right := g.digits(t, address)
	code := s.code(t, client)
	for _, broken := range []interface{ Store(bool) }{&s.store.commits, &s.store.off} {
		broken.Store(true)
		s.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}})
		g.refreshed(t, g.refresh)
		s.postForm(t, "/revoke", url.Values{"client_id": {client}, "token": {g.access}})
		s.browser(t).authorize(t, client, "state", s.mark("state of a fault", inLocation))
		s.bad("POST", "/register", inJSON, `{"client_name":"`+s.mark("name of a fault")+`","redirect_uris":["`+redirectURI+`"]}`)
		g.call(t, "authenticate", `{"email":"`+s.mark("address of a fault")+`@example.com"}`)
		g.call(t, "validate_token", `{"code":"`+right+`"}`)
		g.call(t, "logout", "")
		s.kit.mail.Flush(t.Context())
		broken.Store(false)
	}
	s.sender.fails = true // while nobody sends: the queue is empty
	unreachable := s.address()
	g.call(t, "authenticate", `{"email":"`+unreachable+`"}`)
	s.kit.mail.Flush(t.Context())
}
