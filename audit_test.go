package foyer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/audit"
	"example.com/foyer/store"
)

// trailed is all events, sealed, in their order.
func (h *house) trailed(t testing.TB) (all []store.Event) {
	t.Helper()
	if err := h.kit.trail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := h.store.View(t.Context(), func(tx store.Tx) (err error) {
		all, err = tx.SealedEvents(t.Context(), 0, 10_000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A story through the whole house leaves its trail, over a restart, and the trail
// verifies: who, through which client, in which request, at what level, and why
// not.
func TestTheTrailTellsTheStory(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	step := func() { h.advance(61 * time.Second); h.restart() }
	step()
	g.call(t, "list_entries", "") // which needs a sign-in
	step()
	right := g.digits(t, "ann@example.com")
	step()
	g.call(t, "validate_token", `{"code":"`+wrong(right)+`"}`)
	step()
	g.call(t, "validate_token", `{"code":"`+right+`"}`)
	step()
	g.call(t, "list_entries", "")
	ann := g.bearer(t).User.ID
	step()
	g.renew(t)
	step()
	g.call(t, "logout", "")
	step()
	h.postForm(t, "/revoke", url.Values{"client_id": {g.client}, "token": {g.refresh}})
	var told []string
	all := h.trailed(t)
	slices.SortStableFunc(all, func(a, b store.Event) int { // at one moment of a clock that stands, the order is by chance
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Kind, b.Kind))
	})
	for _, e := range all {
		who := "guest"
		if e.UserID != "" {
			who = "user"
			if e.UserID != ann {
				t.Errorf("of another user: %+v", e)
			}
		}
		told = append(told, strings.Join(strings.Fields(strings.Join([]string{who, e.Kind, e.Outcome, e.Item, e.Reason, e.Level, e.By}, " ")), " "))
		if e.Request == "" || e.ClientID != g.client || e.GrantID == "" && e.Kind != store.EventClientRegistered {
			t.Errorf("%+v", e)
		}
	}
	want := []string{
		"guest client_registered", "guest grant_started", "guest decided challenge tool list_entries sign_in",
		"guest sign_in_begun mailed", "guest sign_in_failed wrong_code", "user grant_claimed chat",
		"user decided allow tool list_entries chat", "user grant_refreshed chat", "user grant_signed_out chat", "guest grant_revoked client",
	}
	if !slices.Equal(told, want) {
		t.Errorf("the trail tells\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if r, err := h.kit.VerifyAudit(t.Context()); err != nil || r.Sealed != len(want) || r.Waiting != 0 {
		t.Errorf("VerifyAudit = %+v, %v", r, err)
	}
}

// What happens in one request has one name, and the next request another.
func TestEventsNameTheirRequest(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	g.call(t, "list_entries", "")
	h.advance(time.Minute)
	g.call(t, "list_entries", "")
	requests := map[string]bool{}
	for _, e := range h.trailed(t) {
		requests[e.Request] = true
	}
	if n := len(h.trailed(t)); len(requests) != n || requests[""] {
		t.Errorf("%d events of %d requests", n, len(requests))
	}
}

// Everything that changes something for somebody is done by an event, or it is
// not done: also the very last of a process is sealed when it ends.
func TestCloseSealsWhatWaits(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	g.call(t, "list_entries", "")
	h.restart()
	r, err := h.kit.VerifyAudit(t.Context())
	if err != nil || r.Waiting != 0 || r.Sealed != 5 { // registered, started, asked, claimed, allowed
		t.Errorf("VerifyAudit = %+v, %v", r, err)
	}
}

// The trail knows an address by a pseudonym alone, the same for the same address,
// and forgets what is older than it is kept.
func TestT73TheTrailKnowsAddressesByPseudonymsAndForgets(t *testing.T) {
	h := newHouse(t)
	for range 2 {
		h.guest(t).digits(t, "ann@example.com")
		h.advance(2 * time.Minute)
	}
	h.guest(t).digits(t, "bob@example.com")
	var whom []string
	for _, e := range h.trailed(t) {
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, "ann") && strings.Contains(text, "example") {
			t.Errorf("an address is in %s", text)
		}
		if e.Kind == store.EventSignInBegun {
			whom = append(whom, e.Whom)
		}
	}
	if len(whom) != 3 || whom[0] != whom[1] || whom[1] == whom[2] || whom[0] == "" {
		t.Errorf("pseudonyms %q", whom)
	}
	before, err := h.kit.VerifyAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.advance(90*day + time.Hour)
	h.guest(t)
	h.trailed(t)
	if err := h.kit.trail.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := h.kit.VerifyAudit(t.Context()); err != nil || r.First != before.Last+1 || r.Sealed == 0 {
		t.Errorf("VerifyAudit = %+v, %v; before %+v", r, err, before)
	}
}

// Whoever writes the file is found by the kit, and by the kit after it.
func TestTheKitFindsTampering(t *testing.T) {
	h := newHouse(t)
	h.guest(t).signIn(t, "ann@example.com")
	h.trailed(t)
	h.exec(t, "UPDATE foyer_events SET user_id = 'somebody else' WHERE kind = 'grant_claimed'")
	for range 2 {
		var found *audit.Tampering
		if _, err := h.kit.VerifyAudit(t.Context()); !errors.As(err, &found) || found.EventID == "" {
			t.Errorf("VerifyAudit = %v", err)
		}
		h.restart()
	}
}

// The hooks of a config are called, and one that hangs keeps no request waiting.
func TestHooksOfTheKit(t *testing.T) {
	var mu sync.Mutex
	var events, calls []string
	never := make(chan struct{})
	h := newHouse(t, func(cfg *Config) {
		cfg.Hooks = audit.Hooks{
			OnEvent: func(_ context.Context, e store.Event) error {
				mu.Lock()
				defer mu.Unlock()
				events = append(events, e.Kind)
				panic("a hook that panics")
			},
			OnToolCall: func(_ context.Context, c audit.ToolCall) error {
				mu.Lock()
				calls = append(calls, c.Tool+" "+c.Outcome)
				mu.Unlock()
				<-never
				return nil
			},
		}
	})
	g := h.guest(t)
	for range 10 {
		g.call(t, "writing_prompt", "")
	}
	g.signIn(t, "ann@example.com")
	g.works(t, "while the hooks hang")
	close(never)
	h.restart()
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(events, store.EventGrantStarted) || len(calls) < 10 || calls[0] != "writing_prompt ok" {
		t.Errorf("events %q, calls %q", events, calls)
	}
}
