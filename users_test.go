package foyer

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/foyer/mail"
)

// An application finds a user by the address, and reads what the user has: what an
// admin page shows, and no token.
func TestAnApplicationReadsItsUsersAndTheirGrants(t *testing.T) {
	h := newBank(t)
	one, two := h.guest(t), h.guest(t)
	one.signIn(t, "ann@example.com")
	h.advance(2 * time.Minute)
	two.signIn(t, "ann@example.com")
	if err := h.kit.SetRoles(t.Context(), one.bearer(t).User.ID, "director"); err != nil {
		t.Fatal(err)
	}
	ann, err := h.kit.UserByEmail(t.Context(), " Ann@EXAMPLE.com")
	if b := one.bearer(t); err != nil || ann.ID != b.User.ID || ann.Email != "ann@example.com" || !ann.Created.Equal(b.User.Created) || len(ann.Roles) != 1 || ann.Roles[0] != "director" {
		t.Errorf("UserByEmail = %+v, %v", ann, err)
	}
	id := two.bearer(t).Grant.ID
	e := Elevation{GrantID: id, Scope: "journal:export", For: time.Hour, Reason: "the vault is on fire", Approver: "bob"}
	if err := h.kit.Elevate(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	found, err := h.kit.GrantsOf(t.Context(), ann.ID)
	if err != nil || len(found) != 2 {
		t.Fatalf("GrantsOf = %+v, %v", found, err)
	}
	for _, g := range found {
		want := map[string]*guest{one.bearer(t).Grant.ID: one, id: two}[g.ID].bearer(t).Grant
		if g.ClientID != want.ClientID || g.RedirectHost != want.RedirectHost || g.Level != want.Level || strings.Join(g.Scopes, " ") != strings.Join(want.Scopes, " ") || !g.Created.Equal(want.Created) || !g.Expires.Equal(want.Expires) {
			t.Errorf("%+v, want %+v", g, want)
		}
		switch {
		case g.ID != id && len(g.Elevations) == 0:
		case len(g.Elevations) != 1 || g.Elevations[0] != (Elevated{Scope: e.Scope, Until: h.clock().Add(time.Hour), Reason: e.Reason, Approver: "bob"}):
			t.Errorf("%+v", g.Elevations)
		}
	}
	if _, err := h.kit.UserByEmail(t.Context(), "eve@example.com"); err != ErrNoUser {
		t.Errorf("nobody's address: %v", err)
	}
	if _, err := h.kit.UserByEmail(t.Context(), "ann"); !errors.Is(err, mail.ErrAddress) {
		t.Errorf("no address: %v", err)
	}
	if _, err := h.kit.GrantsOf(t.Context(), "nobody"); err != ErrNoUser {
		t.Errorf("grants of nobody: %v", err)
	}
}

// An application takes back what it gave, before its time.
func TestAnApplicationEndsElevationsAndGrants(t *testing.T) {
	h := newBank(t)
	g, other := h.guest(t), h.guest(t)
	g.signIn(t, "ann@example.com")
	id := g.bearer(t).Grant.ID
	for _, test := range []struct {
		grant, scope, role string
		want               error
	}{
		{id, "", "director", nil}, {id, "", "director", ErrNotElevated}, {id, "journal:export", "director", ErrElevation},
		{id, "", "", nil}, {id, "", "", ErrNotElevated}, {"nothing", "", "", ErrNoGrant},
	} {
		for _, e := range []Elevation{{Role: "director"}, {Scope: "journal:export"}} {
			e.GrantID, e.For, e.Reason, e.Approver = id, time.Hour, "the vault is on fire", "bob"
			if err := h.kit.Elevate(t.Context(), e); test.want == nil && err != nil {
				t.Fatal(err)
			}
		}
		if test.want == ErrNotElevated {
			h.advance(time.Hour)
			g.renew(t)
		}
		if err := h.kit.Lower(t.Context(), test.grant, test.scope, test.role); err != test.want {
			t.Errorf("Lower(%q, %q, %q) = %v, want %v", test.grant, test.scope, test.role, err, test.want)
		}
		if test.want == nil {
			if a := g.call(t, "close_bank", ""); !a.isError {
				t.Errorf("after the end of %q: %s", test.role, a.raw)
			}
		}
	}
	streams := []openStream{g.listens(t, modern), g.listens(t, "2025-11-25")}
	for name, id := range map[string]string{"a user's": id, "a guest's": other.bearer(t).Grant.ID} {
		if err := h.kit.Revoke(t.Context(), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := h.kit.Revoke(t.Context(), id); err != ErrNoGrant {
			t.Errorf("%s, again: %v", name, err)
		}
	}
	for _, g := range []*guest{g, other} {
		if a := g.call(t, "writing_prompt", ""); a.status != http.StatusUnauthorized {
			t.Errorf("a revoked grant: %d %s", a.status, a.raw)
		}
	}
	for _, s := range streams {
		if s.heard() {
			t.Error("the stream of a revoked grant brings news")
		}
	}
}
