package foyer

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/store"
)

// everywhere is where somebody might look after the story.
func (s *story) everywhere() (all []place) {
	s.t.Helper()
	all = append(all, place{"log", s.log.String()})
	all = append(all, s.rec.places...)
	all = append(all, s.mails(s.t)...)
	all = append(all, s.files(s.t)...)
	return append(append(all, s.dump(s.t, "foyer.db")...), s.dump(s.t, "journal.db")...)
}

func TestT60T61T63SecretsAreSeenOnlyWhereTheyAreIssued(t *testing.T) {
	s := newStory(t)
	defer func(before *slog.Logger) { slog.SetDefault(before) }(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(s.log, nil))) // also what others log on their own
	s.play()
	s.faults()
	if err := s.kit.trail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	canaries := func() []canary { return merged(append(append(s.derived(t), s.canaries...), s.rec.issued...)) }
	places := s.everywhere()
	for _, finding := range found(places, canaries()) {
		t.Error(finding)
	}
	kinds := map[string]int{}
	for _, c := range canaries() {
		kinds[c.kind]++
	}
	for _, kind := range []string{"access token", "refresh token", "authorization code", "cookie", "sealed request", "state of a question", "session ID", "digits", "link of a mail", "configured secret"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s was issued: the story is too short", kind)
		}
	}
	for _, record := range []string{"fault", "panic", "outbox: not sent", "disk I/O error"} {
		if !strings.Contains(s.log.String(), record) {
			t.Errorf("the log has no %q: the story is too short", record)
		}
	}
	for _, p := range places {
		if strings.HasPrefix(p.name, "response") && strings.Contains(p.text, "secret-place") {
			t.Errorf("%s shows what went wrong: %s", p.name, p.text)
		}
	}
	t.Run("the audit trail has no canary at all", func(t *testing.T) { s.unspeaking(t, canaries()) })
	t.Run("answers with a secret are kept by nobody and told to nobody", s.cautious)
	t.Run("a place to which a browser is sent has nothing but an answer", s.sent)
	t.Run("the search finds what is planted", func(t *testing.T) { s.bites(t, canaries()) })
}

func (s *story) cautious(t *testing.T) {
	for _, res := range s.rec.secrets {
		at := res.Request.Method + " " + res.Request.URL.Path
		if c := res.Header.Get("Cache-Control"); !strings.Contains(c, "no-store") {
			t.Errorf("%s: Cache-Control: %s", at, c)
		}
		if res.Request.URL.Path == "/authorize" && res.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: Referrer-Policy: %s", at, res.Header.Get("Referrer-Policy"))
		}
		for _, c := range res.Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: %s", at, c)
			}
		}
	}
}

// unspeaking looks for every canary in the audit trail, also for those that the
// store may hold elsewhere: addresses, and what clients call themselves.
func (s *story) unspeaking(t *testing.T, canaries []canary) {
	for i := range canaries {
		canaries[i].allowed = nil
	}
	canaries = append(canaries, canary{kind: "an address", value: "@example"}, canary{kind: "an address", value: "%40"})
	var trail []place
	for _, p := range s.dump(t, "foyer.db") {
		if p.name == "table foyer_events" || p.name == "table foyer_chains" {
			trail = append(trail, p)
		}
	}
	for _, finding := range found(trail, canaries) {
		t.Error(finding)
	}
	if len(trail) != 2 {
		t.Fatalf("%d tables", len(trail))
	}
	for _, kind := range []string{store.EventClientRegistered, store.EventGrantStarted, store.EventGrantRefreshed, store.EventGrantClaimed, store.EventGrantSignedOut,
		store.EventGrantRevoked, store.EventSignInBegun, store.EventSignInFailed, store.EventDecided} {
		if !strings.Contains(trail[0].text+trail[1].text, "|"+kind+"|") {
			t.Errorf("there is no event %s: the story is too short", kind)
		}
	}
	for _, c := range canaries {
		planting(t, canary{kind: c.kind, value: c.value, digits: c.digits}, "table foyer_events")
	}
}

func (s *story) sent(t *testing.T) {
	n := 0
	for _, p := range s.rec.places {
		if !strings.HasSuffix(p.name, ": Location") {
			continue
		}
		n++
		u, err := url.Parse(p.text)
		if err == nil && u.Path == "/consent" && u.Host == "" && len(u.Query()) == 1 && u.Query().Has("request") {
			continue // sealed, and on its way from one page of ours to another
		}
		if err != nil || !strings.HasPrefix(p.text, redirectURI+"?") || u.Fragment != "" {
			t.Errorf("%s is %s: %v", p.name, p.text, err)
			continue
		}
		for name := range u.Query() {
			if !slices.Contains([]string{"code", "iss", "state", "error", "error_description"}, name) {
				t.Errorf("%s has a parameter %s", p.name, name)
			}
		}
	}
	if n == 0 {
		t.Error("nobody was sent anywhere")
	}
}

// bites plants each kind of secret where it must not be.
func (s *story) bites(t *testing.T, canaries []canary) {
	newest := map[string]canary{}
	for _, c := range canaries {
		newest[c.kind] = c
	}
	for _, c := range newest {
		for _, name := range []string{"log", "table foyer_users", "file foyer.db-wal", "mail somebody/000001.eml", "response 0 to GET /: body"} {
			planting(t, c, name)
		}
	}
	g := s.guest(t)
	g.call(t, "planted", "")
	s.canaries = append(s.canaries, s.rec.issued...)
	inLog := func() bool {
		return slices.ContainsFunc(found([]place{{"log", s.log.String()}}, s.canaries), func(f string) bool { return strings.HasPrefix(f, "access token") })
	}
	if inLog() {
		t.Error("a handler that logs every header that it is shown has logged a token")
	}
	slog.New(slog.NewTextHandler(s.log, nil)).Info("careless", "header", "Bearer "+g.access)
	if !inLog() {
		t.Error("a token in the log is not found")
	}
	if err := os.WriteFile(filepath.Join(s.dir, "copy.db"), []byte("\x00\x01"+g.refresh+"\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := found(s.files(t), s.canaries); len(got) == 0 {
		t.Error("a refresh token in a file is not found")
	}
}

// written is value as careless code writes it down, by name of the form. Digits
// are looked for as they are: six of them, coded, are everywhere.
func written(kind, value string) map[string]string {
	all := map[string]string{"plain": value + ", and so on"}
	if kind == "digits" {
		return all
	}
	for _, before := range []string{"", "u:", "id="} {
		text := []byte(before + value + " and so on")
		all["base64 behind "+before], all["base64url behind "+before] = base64.StdEncoding.EncodeToString(text), base64.URLEncoding.EncodeToString(text)
		all["hex behind "+before], all["HEX behind "+before] = fmt.Sprintf("%x", text), fmt.Sprintf("%X", text)
		all["a query behind "+before], all["a Go string behind "+before] = url.QueryEscape(string(text)), fmt.Sprintf("%q", text)
	}
	return all
}

// planting finds that c is found at a place where it must not be.
func planting(t *testing.T, c canary, name string) {
	t.Helper()
	if c.allowed != nil && c.allowed(name) {
		return
	}
	for form, text := range written(c.kind, c.value) {
		if got := found([]place{{name, "level=INFO msg=" + text}}, []canary{c}); len(got) == 0 {
			t.Errorf("%s in %s, %s, is not found", c.kind, name, form)
		}
	}
}
