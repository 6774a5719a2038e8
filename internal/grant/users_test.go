package grant

import (
	"slices"
	"testing"
	"time"

	"example.com/foyer/store"
)

// elevate elevates the grant id to a scope or a role for an hour.
func (f *fixture) elevate(id, scope, role string) {
	f.t.Helper()
	err := f.Elevate(f.t.Context(), id, store.Elevation{Scope: scope, Role: role, Until: f.now().Add(time.Hour), Reason: "r", By: "bob"})
	if err != nil {
		f.t.Fatal(err)
	}
}

// elevated is what the grant of issued has beside its own.
func (f *fixture) elevated(issued Issued) (scopes, roles []string) {
	f.t.Helper()
	b := f.use(issued.Access)
	return Elevated(b.Token, b.Grant, f.now())
}

// An elevation is ended alone, or with all others of its grant, and with none of
// another grant.
func TestElevationsAreEndedBeforeTheirTime(t *testing.T) {
	for _, test := range []struct {
		name, scope, role       string
		ended                   int
		leftScopes, leftRoles   []string
		refusal, refusedNowThen error
	}{
		{"a scope", "a", "", 1, []string{"b"}, []string{"a"}, nil, ErrNotElevated},
		{"a role", "", "a", 1, []string{"a", "b"}, nil, nil, ErrNotElevated},
		{"all", "", "", 3, nil, nil, nil, ErrNotElevated},
		{"a scope that there is not", "c", "", 0, []string{"a", "b"}, []string{"a"}, ErrNotElevated, ErrNotElevated},
		{"a role that is a scope", "", "b", 0, []string{"a", "b"}, []string{"a"}, ErrNotElevated, ErrNotElevated},
		{"both", "a", "a", 0, []string{"a", "b"}, []string{"a"}, ErrElevation, ErrElevation},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			issued, other := f.claimed(), f.claimed()
			id := f.grant(issued.Refresh).ID
			for _, id := range []string{id, f.grant(other.Refresh).ID} {
				f.elevate(id, "a", "")
				f.elevate(id, "b", "")
				f.elevate(id, "", "a")
			}
			if ended, err := f.Lower(t.Context(), id, test.scope, test.role); err != test.refusal || len(ended) != test.ended {
				t.Errorf("Lower = %+v, %v", ended, err)
			}
			if scopes, roles := f.elevated(issued); !slices.Equal(scopes, test.leftScopes) || !slices.Equal(roles, test.leftRoles) {
				t.Errorf("left: %v, %v", scopes, roles)
			}
			if scopes, roles := f.elevated(other); len(scopes) != 2 || len(roles) != 1 {
				t.Errorf("the other grant has left: %v, %v", scopes, roles)
			}
			if ended, err := f.Lower(t.Context(), id, test.scope, test.role); err != test.refusedNowThen || len(ended) > 0 {
				t.Errorf("again: Lower = %+v, %v", ended, err)
			}
		})
	}
}

// What is over needs no end, and has none.
func TestWhatIsOverIsNotLowered(t *testing.T) {
	f := newFixture(t)
	issued := f.claimed()
	id := f.grant(issued.Refresh).ID
	f.elevate(id, "a", "")
	f.wait(time.Hour)
	if ended, err := f.Lower(t.Context(), id, "a", ""); err != ErrNotElevated {
		t.Errorf("Lower = %+v, %v", ended, err)
	}
	if _, err := f.Lower(t.Context(), "nothing", "", ""); err != ErrUnknown {
		t.Errorf("of no grant: %v", err)
	}
	f.mustRevoke(issued.Refresh)
	if _, err := f.Lower(t.Context(), id, "", ""); err != ErrRevoked {
		t.Errorf("of a revoked grant: %v", err)
	}
}

// Whoever runs the server ends a grant by its ID, a guest's too, with all of its
// tokens and for good.
func TestAGrantIsEndedByItsID(t *testing.T) {
	f := newFixture(t)
	for name, issued := range map[string]Issued{"a user's": f.claimed(), "a guest's": f.start()} {
		id := f.grant(issued.Refresh).ID
		if err := f.End(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := f.check(issued.Access); err != ErrRevoked {
			t.Errorf("%s access token: %v", name, err)
		}
		if _, err := f.renew(issued.Refresh); err == nil {
			t.Errorf("%s refresh token works", name)
		}
		if err := f.End(t.Context(), id); err != ErrRevoked {
			t.Errorf("%s, again: %v", name, err)
		}
	}
	if err := f.End(t.Context(), "nothing"); err != ErrUnknown {
		t.Errorf("no grant: %v", err)
	}
	over := f.grant(f.start().Refresh).ID
	f.wait(life.GuestIdle)
	if err := f.End(t.Context(), over); err != ErrUnknown {
		t.Errorf("a grant that is over: %v", err)
	}
}

// A user's grants are those that work, the newest first, with the elevations that
// are not over.
func TestGrantsOfAUserAreThoseThatWork(t *testing.T) {
	f := newFixture(t)
	first := f.claimed()
	f.wait(time.Second)
	second, revoked := f.claimed(), f.claimed()
	f.mustRevoke(revoked.Refresh)
	u := f.use(first.Access).User
	f.elevate(f.grant(first.Refresh).ID, "a", "")
	f.wait(time.Minute)
	f.elevate(f.grant(first.Refresh).ID, "", "b")
	look := func() (ids []string, elevations int) {
		live, err := f.OfUser(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, gr := range live {
			ids, elevations = append(ids, gr.ID), elevations+len(gr.Elevations)
		}
		return ids, elevations
	}
	want := []string{f.grant(second.Refresh).ID, f.grant(first.Refresh).ID}
	if ids, elevations := look(); !slices.Equal(ids, want) || elevations != 2 {
		t.Errorf("%v, with %d elevations; want %v with 2", ids, elevations, want)
	}
	f.wait(time.Hour - time.Minute)
	if ids, elevations := look(); !slices.Equal(ids, want) || elevations != 1 {
		t.Errorf("an hour later: %v, with %d elevations; want %v with 1", ids, elevations, want)
	}
	f.wait(life.Idle)
	if ids, _ := look(); len(ids) > 0 {
		t.Errorf("at their end: %v", ids)
	}
	if _, err := f.OfUser(t.Context(), "nobody"); err != ErrNoUser {
		t.Errorf("of nobody: %v", err)
	}
	if found, err := f.UserByEmail(t.Context(), u.Email); err != nil || found.ID != u.ID {
		t.Errorf("UserByEmail = %+v, %v", found, err)
	}
	if _, err := f.UserByEmail(t.Context(), "nobody@example.com"); err != ErrNoUser {
		t.Errorf("nobody's address: %v", err)
	}
}
