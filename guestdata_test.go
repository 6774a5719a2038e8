package foyer

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/words"
)

// draft keeps a draft of the guest's, or of its user's.
func (g *guest) draft(t *testing.T, text string) {
	t.Helper()
	if a := g.call(t, "save_draft", `{"text":"`+text+`"}`); a.isError {
		t.Fatalf("save_draft: %s", a.raw)
	}
}

// drafts returns the texts of the drafts that the guest is shown.
func (g *guest) drafts(t *testing.T) (texts []string) {
	t.Helper()
	a := g.call(t, "list_drafts", "")
	found, ok := a.data["drafts"].([]any)
	if a.isError || !ok {
		t.Fatalf("list_drafts: %s", a.raw)
	}
	for _, d := range found {
		texts = append(texts, d.(map[string]any)["text"].(string))
	}
	return texts
}

// merge calls merge_guest_data with a client that can ask, and gives answer
// where it is asked. It returns what was asked and what was told.
func (g *guest) merge(t *testing.T, answer string) (question, told string) {
	t.Helper()
	return g.answers(t, `"name":"merge_guest_data","arguments":{}`, "merge", answer)
}

const (
	moveIt = `{"action":"accept","content":{"move":true}}`
	leave  = `{"action":"accept","content":{"move":false}}`
)

// T18: what a guest kept is the user's only after the user's own yes, which names
// the account; and then once.
func TestT18WhatAGuestKeptMovesOnAYesAlone(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.draft(t, "The light went round.")
	g.draft(t, "The keeper waved.")
	if a := g.call(t, words.Merge, ""); !a.isError || a.text != words.MergeGuest {
		t.Errorf("a guest: %s", a.raw)
	}
	a := g.call(t, "validate_token", `{"code":"`+g.digits(t, "ann@example.com")+`"}`)
	if a.data["kept_as_guest"] != "2 drafts" || !strings.Contains(a.text, "something was kept: 2 drafts. It is not in the account.") || !strings.Contains(a.text, "only if they say yes, call "+words.Merge) {
		t.Errorf("the offer: %s", a.raw)
	}
	if a := g.call(t, "whoami", ""); a.data["kept_as_guest"] != "2 drafts" {
		t.Errorf("the offer again: %s", a.raw)
	}
	if a := g.call(t, words.Merge, ""); !a.isError || !strings.Contains(a.text, "Ask the user to open "+h.issuer+g.path(t)+" in the browser") {
		t.Errorf("a client that cannot ask: %s", a.raw)
	}
	for name, answer := range map[string]string{"no": leave, "a decline": `{"action":"decline"}`, "a cancel": `{"action":"cancel"}`} {
		question, told := g.merge(t, answer)
		if !strings.Contains(question, "Move 2 drafts, kept in Journal before signing in, to the account of a***@example.com?") || !strings.Contains(told, "declined") {
			t.Errorf("%s: %s\n%s", name, question, told)
		}
		if mine := g.drafts(t); len(mine) != 0 {
			t.Errorf("after %s the user has %q", name, mine)
		}
	}
	if _, told := g.merge(t, moveIt); !strings.Contains(told, `"moved":"2 drafts"`) || !strings.Contains(told, "Moved 2 drafts to the account of a***@example.com.") {
		t.Errorf("a yes: %s", told)
	}
	if mine := g.drafts(t); len(mine) != 2 {
		t.Errorf("after a yes the user has %q", mine)
	}
	if question, told := g.merge(t, moveIt); question != "" || !strings.Contains(told, words.MergeNothing) {
		t.Errorf("once more: %s %s", question, told)
	}
	if a := g.call(t, "whoami", ""); a.data["kept_as_guest"] != nil {
		t.Errorf("moved, it is still offered: %s", a.raw)
	}
}

// T18: the offer is of one grant, and is over with its sign-in: neither another
// user of the grant nor another grant of the user is offered anything.
func TestT18TheOfferEndsWithTheSignIn(t *testing.T) {
	h := newHouse(t)
	g, other := h.guest(t), h.guest(t)
	g.draft(t, "The light went round.")
	g.signIn(t, "ann@example.com")
	h.advance(2 * time.Minute)
	other.signIn(t, "ann@example.com")
	if a := other.call(t, "whoami", ""); a.data["kept_as_guest"] != nil {
		t.Errorf("another grant of the user: %s", a.raw)
	}
	if question, told := other.merge(t, moveIt); question != "" || !strings.Contains(told, words.MergeNothing) || len(other.drafts(t)) != 0 {
		t.Errorf("another grant of the user: %s", told)
	}
	if a := g.call(t, "logout", ""); a.isError {
		t.Fatal(a.raw)
	}
	if mine := g.drafts(t); len(mine) != 0 {
		t.Errorf("the guest after a sign-out has %q", mine)
	}
	h.advance(2 * time.Minute)
	g.signIn(t, "bob@example.com")
	if question, told := g.merge(t, moveIt); question != "" || !strings.Contains(told, words.MergeNothing) || len(g.drafts(t)) != 0 {
		t.Errorf("the next user of the grant: %s", told)
	}
}

// A guest who keeps something has a week to come back, and one who cannot has a
// day.
func TestGuestsWithSomethingToLoseHaveAWeek(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.draft(t, "The light went round.")
	h.advance(7*day - time.Minute)
	g.renew(t)
	if mine := g.drafts(t); len(mine) != 1 {
		t.Errorf("after a week the guest has %q", mine)
	}
	bare := newHouse(t, func(cfg *Config) { cfg.GuestData = nil })
	g = bare.guest(t)
	bare.advance(25 * time.Hour)
	if status, body := g.refreshed(t, g.refresh); status != http.StatusBadRequest {
		t.Errorf("a guest with nothing to lose, after a day: %d %v", status, body)
	}
	if a := bare.guest(t).call(t, words.Merge, ""); !a.isError || strings.Contains(a.text, "signed in") {
		t.Errorf("without data there is no such tool: %s", a.raw)
	}
}

func TestAFaultOfTheApplicationsDataIsNotTold(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.draft(t, "The light went round.")
	g.signIn(t, "ann@example.com")
	h.app.Close()
	if a := g.call(t, "whoami", ""); a.isError || a.data["kept_as_guest"] != nil {
		t.Errorf("whoami: %s", a.raw)
	}
	if _, told := g.merge(t, moveIt); !strings.Contains(told, words.Fault) || strings.Contains(told, "closed") {
		t.Errorf("merge: %s", told)
	}
	if log := h.log.String(); !strings.Contains(log, "tool="+words.Merge) || !strings.Contains(log, "closed") {
		t.Errorf("the log: %s", log)
	}
}
