package foyer

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// bearer is what the store knows of the guest.
func (g *guest) bearer(t testing.TB) store.Bearer {
	t.Helper()
	b, err := g.store.Bearer(t.Context(), secret.HashOf(g.access))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A role counts from the next request on, on every grant of the user, and so does
// its end. Who lacks it is told its name, and does not see the item.
func TestARoleCountsFromTheNextRequest(t *testing.T) {
	h := newBank(t)
	one, two, other := h.guest(t), h.guest(t), h.guest(t)
	for _, g := range []*guest{one, two} {
		g.signIn(t, "ann@example.com")
		h.advance(2 * time.Minute)
	}
	other.signIn(t, "bob@example.com")
	ann := one.bearer(t).User.ID
	check := func(when string, open bool) {
		t.Helper()
		for name, g := range map[string]*guest{"one grant": one, "another": two} {
			a := g.call(t, "close_bank", "")
			_, list := g.post(t, "tools/list", `{}`)
			if a.isError == open || strings.Contains(list, `"name":"close_bank"`) != open || strings.Contains(list, `"name":"vault"`) != open {
				t.Errorf("%s, %s: %s", when, name, a.raw)
			}
			if !open && !strings.Contains(a.text, "it is for users who are director, and this user is not") {
				t.Errorf("%s, %s: %s", when, name, a.text)
			}
			if v := g.call(t, "vault", ""); v.isError == open || !open && v.text != `unknown tool "vault"` {
				t.Errorf("%s, %s: what is hidden answers %s", when, name, v.raw)
			}
		}
		if a := other.call(t, "close_bank", ""); !a.isError {
			t.Errorf("%s: another user: %s", when, a.raw)
		}
	}
	check("before", false)
	if err := h.kit.SetRoles(t.Context(), ann, "director", "clerk", "director"); err != nil {
		t.Fatal(err)
	}
	check("with the role", true)
	h.restart()
	check("after a restart", true)
	if err := h.kit.SetRoles(t.Context(), ann, "clerk"); err != nil {
		t.Fatal(err)
	}
	check("without it", false)
	for _, test := range []struct {
		user  string
		roles []string
		want  error
	}{{"nobody", nil, ErrNoUser}, {"", nil, ErrNoUser}, {ann, []string{""}, ErrRoles}, {ann, []string{"a b"}, ErrRoles}, {ann, nil, nil}} {
		if err := h.kit.SetRoles(t.Context(), test.user, test.roles...); err != test.want {
			t.Errorf("SetRoles(%q, %q) = %v, want %v", test.user, test.roles, err, test.want)
		}
	}
}

// An elevation opens what it names on one grant, ends at its moment and at a
// sign-out, and cannot be had without a reason and an approver.
func TestAnElevationEndsByItself(t *testing.T) {
	h := newBank(t)
	g, other := h.guest(t), h.guest(t)
	g.signIn(t, "ann@example.com")
	h.advance(2 * time.Minute)
	other.signIn(t, "ann@example.com")
	id := g.bearer(t).Grant.ID
	for name, e := range map[string]Elevation{
		"nothing":         {GrantID: id, For: time.Hour, Reason: "r", Approver: "bob"},
		"two things":      {GrantID: id, Scope: "journal:export", Role: "director", For: time.Hour, Reason: "r", Approver: "bob"},
		"no such scope":   {GrantID: id, Scope: "no:such", For: time.Hour, Reason: "r", Approver: "bob"},
		"a level":         {GrantID: id, Scope: "acr:email", For: time.Hour, Reason: "r", Approver: "bob"},
		"no time":         {GrantID: id, Role: "director", Reason: "r", Approver: "bob"},
		"too long":        {GrantID: id, Role: "director", For: 25 * time.Hour, Reason: "r", Approver: "bob"},
		"no reason":       {GrantID: id, Role: "director", For: time.Hour, Reason: " ", Approver: "bob"},
		"nobody approved": {GrantID: id, Role: "director", For: time.Hour, Reason: "r"},
	} {
		if err := h.kit.Elevate(t.Context(), e); err != ErrElevation {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, id := range map[string]string{"no grant": "x", "a guest's": h.guest(t).bearer(t).Grant.ID} {
		if err := h.kit.Elevate(t.Context(), Elevation{GrantID: id, Role: "director", For: time.Hour, Reason: "r", Approver: "bob"}); err != ErrNoGrant {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, e := range []Elevation{{Role: "director"}, {Scope: "journal:export"}} {
		e.GrantID, e.For, e.Reason, e.Approver = id, 30*time.Minute, "the vault is on fire", "bob"
		if err := h.kit.Elevate(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	open := func(when string, want bool) {
		t.Helper()
		for tool, arguments := range map[string]string{"close_bank": `{}`, "export_journal": `{}`} {
			if a := g.call(t, tool, arguments); (a.status == http.StatusOK && !a.isError) != want {
				t.Errorf("%s, %s: %d %s", when, tool, a.status, a.raw)
			}
			if a := other.call(t, tool, arguments); a.status == http.StatusOK && !a.isError {
				t.Errorf("%s, another grant of the user, %s: %s", when, tool, a.raw)
			}
		}
	}
	open("while it lasts", true)
	h.advance(30*time.Minute - time.Second)
	open("in its last second", true)
	h.advance(time.Second)
	open("at its end", false)
	if err := h.kit.Elevate(t.Context(), Elevation{GrantID: id, Role: "director", For: time.Hour, Reason: "again", Approver: "bob"}); err != nil {
		t.Fatal(err)
	}
	if kept := g.bearer(t).Grant.Elevations; len(kept) != 1 || kept[0].Reason != "again" || kept[0].By != "bob" {
		t.Errorf("what is over is kept: %+v", kept)
	}
	g.call(t, "logout", "")
	g.signIn(t, "bob@example.com")
	if a := g.call(t, "close_bank", ""); !a.isError {
		t.Errorf("the next user has it: %s", a.raw)
	}
}
