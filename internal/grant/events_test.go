package grant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// events returns what the events say that were put after those of IDs before.
func (f *fixture) events(before map[string]bool) (told []store.Event) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		told = nil
		all, err := tx.UnsealedEvents(ctx, 1000)
		for _, e := range all {
			if !before[e.ID] {
				told = append(told, e)
			}
		}
		return err
	})
	return told
}

// A transition is a step of a grant, and the one event that it leaves.
type transition struct {
	what string
	from func(*fixture) Issued // makes the grant as it was before
	step func(*fixture, Issued) error
	want string // kind, who, reason, and what else the event says; empty for no event
}

func transitions() []transition {
	elevation := func(f *fixture, issued Issued, e store.Elevation) error {
		e.Until, e.Reason, e.By = f.now().Add(time.Hour), "a reason of somebody", "bob@example.com"
		return f.Elevate(f.t.Context(), f.grant(issued.Access).ID, e)
	}
	used := func(f *fixture) Issued { // whose first refresh token may not come again
		first := f.claimed()
		f.use(f.refresh(first.Refresh).Access)
		f.wait(2 * time.Minute)
		return first
	}
	renew := func(f *fixture, issued Issued) error { _, err := f.renew(issued.Refresh); return err }
	out := func(f *fixture, issued Issued) error { return f.SignOut(f.t.Context(), issued.Access.Hash()) }
	revoke := func(f *fixture, issued Issued) error { return f.Revoke(f.t.Context(), client, issued.Refresh.Hash()) }
	guest, claimed := func(f *fixture) Issued { return f.start() }, (*fixture).claimed
	revoked := func(f *fixture) Issued { issued := f.claimed(); f.mustRevoke(issued.Refresh); return issued }
	none := func(*fixture) Issued { return Issued{} }
	return []transition{
		{"a code is redeemed", none, func(f *fixture, _ Issued) error { _, err := f.Redeem(f.t.Context(), right(f.code())); return err }, "grant_started of a guest"},
		{"a code is wrong", none, func(f *fixture, _ Issued) error {
			_, err := f.Redeem(f.t.Context(), right(secret.Plain("x")))
			return err
		}, ""},
		{"a guest refreshes", guest, renew, "grant_refreshed of a guest"},
		{"a user refreshes", claimed, renew, "grant_refreshed of ann at chat"},
		{"a refresh is repeated in the overlap", func(f *fixture) Issued { i := f.claimed(); f.refresh(i.Refresh); return i }, renew, ""},
		{"a refresh token comes back", used, renew, "grant_revoked of ann at chat: refresh_reused"},
		{"and once more", func(f *fixture) Issued { i := used(f); f.renew(i.Refresh); return i }, renew, ""},
		{"a refresh after the end", revoked, renew, ""},
		{"a guest is claimed", guest, func(f *fixture, i Issued) error { return f.claim(i.Access, "ann", 1, "a", "b") }, "grant_claimed of ann at chat, scopes a b"},
		{"what is claimed is claimed", claimed, func(f *fixture, i Issued) error { return f.claim(i.Access, "bob", 2) }, ""},
		{"a user signs out", claimed, out, "grant_signed_out of ann at chat"},
		{"a guest signs out", guest, out, ""},
		{"a client revokes a guest", guest, revoke, "grant_revoked of a guest by the client"},
		{"a client revokes a user", claimed, revoke, "grant_revoked of ann at chat by the client"},
		{"a client revokes again", revoked, revoke, ""},
		{"another client revokes", claimed, func(f *fixture, i Issued) error { return f.Revoke(f.t.Context(), "c2", i.Refresh.Hash()) }, ""},
		{"a scope for a while", claimed, func(f *fixture, i Issued) error { return elevation(f, i, store.Elevation{Scope: "repair"}) },
			"grant_elevated of ann at chat by the app, scopes repair, until 1h0m0s"},
		{"a role for a while", claimed, func(f *fixture, i Issued) error { return elevation(f, i, store.Elevation{Role: "admin"}) },
			"grant_elevated of ann at chat by the app, roles admin, until 1h0m0s"},
		{"a guest gets a role for a while", guest, func(f *fixture, i Issued) error { return elevation(f, i, store.Elevation{Role: "admin"}) }, ""},
		{"a user gets roles", claimed, func(f *fixture, _ Issued) error { return roles(f, "ann", "b", "a") }, "roles_set of ann by the app, roles a b"},
		{"nobody gets roles", guest, func(f *fixture, _ Issued) error { return roles(f, "zoe") }, ""},
		{"an elevation ends before its time", func(f *fixture) Issued {
			i := f.claimed()
			if err := elevation(f, i, store.Elevation{Scope: "repair"}); err != nil {
				f.t.Fatal(err)
			}
			return i
		}, func(f *fixture, i Issued) error {
			_, err := f.Lower(f.t.Context(), f.grant(i.Access).ID, "", "")
			return err
		}, "grant_lowered of ann at chat by the app, scopes repair"},
		{"a grant is ended by the operator", claimed, func(f *fixture, i Issued) error { return f.End(f.t.Context(), f.grant(i.Access).ID) }, "grant_revoked of ann at chat by the app"},
		{"its user disconnects it", claimed, func(f *fixture, i Issued) error {
			return f.Disconnect(f.t.Context(), "ann", f.grant(i.Access).ID)
		}, "grant_revoked of ann at chat by the user"},
		{"another user disconnects it", claimed, func(f *fixture, i Issued) error {
			return f.Disconnect(f.t.Context(), "bob", f.grant(i.Access).ID)
		}, ""},
		{"its user disconnects all", claimed, func(f *fixture, i Issued) error { _, err := f.DisconnectAll(f.t.Context(), f.visit(), ""); return err },
			"grant_revoked of ann at chat by the user"},
		{"its user takes a scope back", claimed, func(f *fixture, i Issued) error { return f.set(f.visit(), i) }, "grant_narrowed of ann at chat by the user, scopes notes:write"},
		{"its user gives a scope", claimed, func(f *fixture, i Issued) error { return f.set(f.visit(), i, "notes:write", "more") },
			"grant_widened of ann at chat by the user, scopes more"},
		{"its user changes no scope", claimed, func(f *fixture, i Issued) error { return f.set(f.visit(), i, "notes:write") }, ""},
		{"another user takes a scope back", claimed, func(f *fixture, i Issued) error {
			return f.set(Visit{UserID: "bob", AuthTime: f.now()}, i)
		}, ""},
		{"its user takes a copy", claimed, func(f *fixture, i Issued) error { return second(f.Export(f.t.Context(), f.visit())) }, "user_exported of ann by the user"},
		{"the operator takes a copy", claimed, func(f *fixture, i Issued) error { return second(f.ExportUser(f.t.Context(), "ann")) }, "user_exported of ann by the app"},
		{"its user leaves", func(f *fixture) Issued { i := f.claimed(); f.mustRevoke(i.Refresh); return i },
			func(f *fixture, i Issued) error { return second(f.Delete(f.t.Context(), f.visit())) }, "user_leaves of ann by the user, until 168h0m0s"},
		{"its user stays", func(f *fixture) Issued { i := f.claimed(); f.mustDelete(); return i }, func(f *fixture, i Issued) error { return f.Keep(f.t.Context(), "ann", store.ByUser) },
			"user_kept of ann by the user"},
		{"its user is gone", func(f *fixture) Issued { i := f.claimed(); f.mustDelete(); f.wait(7 * day); return i }, func(f *fixture, i Issued) error { return f.EndPurge(f.t.Context(), f.begin()) },
			"user_deleted of ann"},
		{"a grant ends by itself", claimed, func(f *fixture, i Issued) error { f.wait(life.Idle); f.collect(); return renew(f, i) }, ""},
	}
}

func roles(f *fixture, userID string, roles ...string) error {
	_, _, err := f.SetRoles(f.t.Context(), userID, roles)
	return err
}

// say is what e says, for a test to compare.
func say(e store.Event) string {
	who := "a guest"
	if e.UserID != "" {
		who = e.UserID
	}
	text := e.Kind + " of " + who
	if e.Level != "" {
		text += " at " + e.Level
	}
	if e.By != "" {
		text += " by the " + e.By
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if len(e.Scopes) > 0 {
		text += ", scopes " + strings.Join(e.Scopes, " ")
	}
	if len(e.Roles) > 0 {
		text += ", roles " + strings.Join(e.Roles, " ")
	}
	if !e.Until.IsZero() {
		text += ", until " + e.Until.Sub(e.At).String()
	}
	return text
}

// Every step of the state machine leaves exactly its event, with the grant, the
// client and the request; a refusal leaves none.
func TestEveryTransitionLeavesItsEvent(t *testing.T) {
	for _, step := range transitions() {
		t.Run(step.what, func(t *testing.T) {
			f := newFixture(t)
			issued := step.from(f)
			before := map[string]bool{}
			for _, e := range f.events(nil) {
				before[e.ID] = true
			}
			_ = step.step(f, issued) // what it answers, other tests say
			told := f.events(before)
			switch {
			case step.want == "" && len(told) == 0:
				return
			case len(told) != 1 || say(told[0]) != step.want:
				t.Fatalf("%d events: %+v; want %s", len(told), told, step.want)
			}
			e := told[0]
			if !e.At.Equal(f.now()) || e.Count != 1 || e.ID == "" || e.Place != 0 {
				t.Errorf("%+v", e)
			}
			if strings.HasPrefix(e.Kind, "grant_") && (e.GrantID == "" || e.ClientID != client || e.GuestID == "") {
				t.Errorf("of grant %q, client %q, guest %q", e.GrantID, e.ClientID, e.GuestID)
			}
			if text := fmt.Sprintf("%+v", e); strings.Contains(text, "example.com") || strings.Contains(text, "somebody") {
				t.Errorf("somebody's words are in %s", text)
			}
		})
	}
}

// A code that comes twice ends the grant, and says so once.
func TestACodeThatComesTwiceLeavesItsEvent(t *testing.T) {
	f := newFixture(t)
	code := f.code()
	for range 3 {
		f.Redeem(t.Context(), right(code))
		f.wait(time.Second)
	}
	told := f.events(nil)
	if len(told) != 2 || say(told[0]) != "grant_started of a guest" || say(told[1]) != "grant_revoked of a guest: code_replayed" {
		t.Errorf("%+v", told)
	}
}

// The event of a claim names its request, and that of a sign-out both who left
// and who came.
func TestAnEventNamesItsRequest(t *testing.T) {
	f := newFixture(t)
	issued := f.claimed()
	was := f.grant(issued.Access)
	if err := f.SignOut(store.WithRequest(t.Context(), "r1"), issued.Access.Hash()); err != nil {
		t.Fatal(err)
	}
	for _, e := range f.events(nil) {
		if e.Kind != store.EventGrantSignedOut {
			continue
		}
		if now := f.grant(issued.Access); e.Request != "r1" || e.UserID != "ann" || e.GuestID != now.GuestID || e.GuestID == was.GuestID {
			t.Errorf("%+v", e)
		}
	}
}

// unwilling is a store that takes no event.
type unwilling struct{ store.Store }

type unwillingTx struct{ store.Tx }

var errUnwilling = errors.New("no event is taken")

func (u unwilling) Update(ctx context.Context, fn func(store.Tx) error) error {
	return u.Store.Update(ctx, func(tx store.Tx) error { return fn(unwillingTx{tx}) })
}

func (unwillingTx) PutEvent(context.Context, store.Event) error { return errUnwilling }

// What cannot be recorded does not happen.
func TestNothingHappensWithoutItsEvent(t *testing.T) {
	for _, step := range transitions() {
		if step.want == "" {
			continue
		}
		t.Run(step.what, func(t *testing.T) {
			f := newFixture(t)
			f.way, f.second = "", nil // one store, which is the unwilling one
			issued := step.from(f)
			before := f.dump(issued)
			willing := f.Grants.store
			f.Grants.store = unwilling{willing}
			err := step.step(f, issued)
			f.Grants.store = willing
			if err == nil || !errors.Is(err, errUnwilling) {
				t.Errorf("the step answers %v", err)
			}
			if after := f.dump(issued); after != before {
				t.Errorf("it was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// dump is the grant of issued and its user, as they are stored.
func (f *fixture) dump(issued Issued) string {
	f.t.Helper()
	if issued.Access.Reveal() == "" {
		return ""
	}
	b, err := f.store.Bearer(f.t.Context(), issued.Access.Hash())
	if err != nil {
		f.t.Fatal(err)
	}
	return fmt.Sprintf("%+v", b)
}
