package foyer

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A program is "foyer demo" in a process of its own, and everything that it
// prints.
type program struct {
	*story
	cmd *osexec.Cmd
}

// buildProgram builds the program, and returns where it is.
func buildProgram(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "foyer")
	if out, err := osexec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/foyer").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// startProgram builds the program, starts it, and waits until it serves.
func startProgram(t *testing.T) *program {
	t.Helper()
	binary := buildProgram(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: t.TempDir(), jar: jar, log: &lockedBuffer{}}
	p := &program{story: &story{t: t, rec: &recorder{}, store: &faulty{}, house: h}, cmd: osexec.CommandContext(t.Context(), binary, "demo", "--addr", "127.0.0.1:0", "--data", h.dir)}
	p.cmd.Stdout, p.cmd.Stderr = h.log, h.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() }) // does nothing once it has ended
	p.until("it serves", func() bool {
		h.issuer = field(h.log.String(), `MCP server +(http://[^/]+)/mcp`)
		return h.issuer != ""
	})
	h.wire = p.rec
	p.canary("verifier", verifier)
	p.rec.headers = http.Header{"User-Agent": {p.mark("agent")}, "X-Canary": {p.mark("header")}, "Cookie": {"theme=" + p.mark("cookie")}}
	return p
}

// until waits for what happens in the other process.
func (p *program) until(what string, happened func() bool) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !happened(); <-tick.C {
		if time.Now().After(deadline) {
			p.t.Fatalf("not within 30 s: %s\n%s", what, p.log)
		}
	}
}

// digits asks for a one-time code, and reads it from the mail.
func (p *program) digits(g *guest, address string) string {
	p.t.Helper()
	if a := g.call(p.t, "authenticate", `{"email":"`+address+`"}`); a.isError {
		p.t.Fatalf("authenticate: %s", a.raw)
	}
	var files []string
	p.until("a mail comes", func() bool {
		files, _ = filepath.Glob(filepath.Join(p.dir, "mail", address, "*.eml")) // the pattern is good
		return len(files) > 0
	})
	text, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		p.t.Fatal(err)
	}
	digits := digitsIn(p.t, string(text))
	p.canaries = append(p.canaries, canary{kind: "digits", value: digits, digits: true, allowed: regexp.MustCompile("^mail " + regexp.QuoteMeta(address) + "/").MatchString})
	return digits
}

func (p *program) play() {
	t := p.t
	client := p.client(t, p.mark("client name", inStore, inMail, inRegister, inPage))
	b := p.browser(t)
	p.mistakesBefore(b, client)
	code := codeIn(t, b.authorize(t, client, "state", p.mark("state", inLocation), "nonce", p.mark("nonce")).header.Get("Location"))
	p.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {p.mark("wrong verifier")}})
	g := &guest{house: p.house, client: client}
	g.access, g.refresh = p.redeem(t, client, code)
	address := p.address()
	right := p.digits(g, address)
	g.call(t, "validate_token", `{"code":"`+wrong(right)+`"}`)
	g.call(t, "validate_token", `{"code":"`+p.mark("code")+`"}`)
	if a := g.call(t, "validate_token", `{"code":"`+right+`"}`); a.isError {
		t.Fatalf("validate_token: %s", a.raw)
	}
	a := g.call(t, "create_entry", `{"title":"`+p.mark("title", inJournal, inMCP)+`","content":"`+p.mark("content", inJournal, inMCP)+`"}`)
	id, _ := a.data["id"].(string)
	p.questions(g, id)
	p.session(g)
	p.mistakes(g)
	stolen := g.refresh
	g.renew(t)
	g.works(t, "after a refresh")
	g.renew(t)
	g.works(t, "after another")
	p.refused(g.refreshed(t, stolen)) // which ends the grant
	p.replay(g, right)
	b.press(t, b.authorize(t, p.stranger(), "redirect_uri", strangerURI, "state", p.mark("state of a page", inPage)))
	second := p.browser(t).guest(t, client)
	p.postForm(t, "/revoke", url.Values{"client_id": {client}, "token": {second.access}})
}

// stranger registers a client to which no browser is sent without a page.
func (p *program) stranger() string {
	var registered struct {
		ID string `json:"client_id"`
	}
	p.postJSON(p.t, "/register", `{"redirect_uris":["`+strangerURI+`"]}`, http.StatusCreated, &registered)
	return registered.ID
}

func (p *program) refused(status int, body map[string]any) {
	p.t.Helper()
	if status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		p.t.Errorf("a refresh token used twice: %d %v", status, body)
	}
}

// mistakes are made by a user's client, with the items that the program has.
func (p *program) mistakes(g *guest) {
	bearer := []string{"Authorization", "Bearer " + g.access, "Accept", "application/json, text/event-stream"}
	p.bad("POST", "/mcp", inJSON, p.mark("text"), bearer...)
	p.bad("GET", "/mcp", inJSON, "", append(bearer, "Mcp-Session-Id", p.mark("session"), "Last-Event-ID", p.mark("event"))...)
	p.bad("GET", "/dev/mail/"+p.mark("person")+"/1", form, "")
	g.call(p.t, p.mark("tool", inMCP), `{"a":"`+p.mark("argument of an unknown tool")+`"}`)
	g.call(p.t, "get_entry", `{"id":"`+p.mark("entry id", inMCP)+`"}`)
	g.call(p.t, "export_journal", `{"format":"`+p.mark("argument of a refused tool")+`"}`)
	g.post(p.t, p.mark("method", inMCP), `{"x":"`+p.mark("param")+`"}`)
}

// faults are a mail that cannot be delivered, whose error names the person, and
// a database that is no longer one.
func (p *program) faults() {
	t := p.t
	g := p.browser(t).guest(t, p.client(t, "Unlucky"))
	address := p.address()
	if err := os.WriteFile(filepath.Join(p.dir, "mail", address), []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.call(t, "authenticate", `{"email":"`+address+`"}`)
	p.until("a mail is not sent", func() bool { return strings.Contains(p.log.String(), "outbox: not sent") })
}

// ruin takes the database away under the program's feet.
func (p *program) ruin() {
	t := p.t
	g := p.browser(t).guest(t, p.client(t, "Unluckier"))
	for _, file := range []string{"foyer.db", "foyer.db-wal"} {
		if err := os.WriteFile(filepath.Join(p.dir, file), []byte(strings.Repeat("ruin", 64<<10)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := p.log.String()
	for range 3 {
		r := p.form(t, "/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {g.client}, "refresh_token": {g.refresh}})
		p.send(t, r).Body.Close()
		p.send(t, mcpRequest(t, p.issuer+"/mcp", g.access, 1, "tools/call", `{"name":"whoami","arguments":{}}`)).Body.Close()
		p.browser(t).authorize(t, g.client, "state", p.mark("state of a fault", inLocation))
		p.send(t, p.form(t, "/revoke", url.Values{"client_id": {g.client}, "token": {g.refresh}})).Body.Close()
	}
	if after := strings.TrimPrefix(p.log.String(), before); !strings.Contains(after, "fault") {
		t.Errorf("a ruined database is no fault: %s", after)
	}
}

// stop asks the program to end, and waits until it has.
func (p *program) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // a ruined database may make it complain, which is in the log
}

// The program that people run, in a process of its own: what it prints, keeps,
// mails and answers. (T60, T61, T63)
func TestT60TheProgramItselfShowsNoSecret(t *testing.T) {
	p := startProgram(t)
	p.play()
	p.faults()
	secret, err := os.ReadFile(filepath.Join(p.dir, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	p.canary("configured secret", strings.TrimSpace(string(secret)), "file secret")
	places := slices.Concat(p.files(t), p.mails(t), p.dump(t, "foyer.db"), p.dump(t, "journal.db"))
	p.ruin()
	p.stop()
	places = append(append(places, p.rec.places...), place{"log", p.log.String()})
	canaries := merged(append(p.canaries, p.rec.issued...))
	for _, finding := range found(places, canaries) {
		t.Error(finding)
	}
	kinds := map[string]int{}
	for _, c := range canaries {
		kinds[c.kind]++
	}
	for _, kind := range []string{"access token", "refresh token", "authorization code", "cookie", "sealed request", "state of a question", "session ID", "digits", "configured secret", "address"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s was issued: the story is too short", kind)
		}
	}
	t.Run("the search finds what is planted", func(t *testing.T) {
		for _, c := range canaries {
			planting(t, c, "log")
		}
		if got := found([]place{{"response 0 to GET /: Location", redirectURI + "?state=" + url.QueryEscape(p.canaries[0].value)}}, canaries); len(got) == 0 {
			t.Error("a secret in a Location is not found")
		}
	})
}
