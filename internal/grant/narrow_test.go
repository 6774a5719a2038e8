package grant

import (
	"context"
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

var (
	everything = []string{Guest, "notes:read", "notes:write"}
	reading    = []string{Guest, "notes:read"}
	writing    = []string{Guest, "notes:write"}
)

// rich returns the first tokens of ann's grant, which may read and write.
func (f *fixture) rich() Issued {
	f.t.Helper()
	issued := f.claimed()
	gr := f.grant(issued.Access)
	gr.Scopes = everything
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.PutGrant(ctx, gr) })
	return issued
}

func (f *fixture) narrow(token secret.Text, scopes ...string) (Issued, error) {
	return f.Refresh(f.t.Context(), Renewal{RefreshToken: token, ClientID: client, Scopes: scopes})
}

// opens expects that access works, and opens exactly those scopes.
func (f *fixture) opens(name string, access secret.Text, want []string) {
	f.t.Helper()
	b := f.use(access)
	if got := Scopes(b.Token, b.Grant); !slices.Equal(got, want) {
		f.t.Errorf("%s: the access token opens %v, want %v", name, got, want)
	}
}

// A refresh that asks for less cuts the access token that it issues, says so, and
// leaves the grant and the refresh token whole (RFC 6749 section 6).
func TestR62ARefreshMayAskForLess(t *testing.T) {
	for _, test := range []struct {
		name  string
		asked []string
		want  []string
	}{
		{"without a list it opens all of the grant's", nil, everything},
		{"one scope", []string{"notes:read"}, reading},
		{"another", []string{"notes:write"}, writing},
		{"both, in another order", []string{"notes:write", "notes:read"}, everything},
		{"one scope twice", []string{"notes:read", "notes:read"}, reading},
		{"a guest's, which each token has", []string{Guest, "notes:read"}, reading},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			first := f.rich()
			second, err := f.narrow(first.Refresh, test.asked...)
			if err != nil || !slices.Equal(second.Scopes, test.want) {
				t.Fatalf("Refresh = %v, %v; want %v", second.Scopes, err, test.want)
			}
			f.opens("the one that was issued", second.Access, test.want)
			f.opens("the one before", first.Access, everything)
			if gr := f.grant(second.Access); !slices.Equal(gr.Scopes, everything) {
				t.Errorf("the grant has %v left", gr.Scopes)
			}
			third, err := f.narrow(second.Refresh)
			if err != nil || !slices.Equal(third.Scopes, everything) {
				t.Errorf("the next refresh without a list = %v, %v; want %v", third.Scopes, err, everything)
			}
			f.opens("the next", third.Access, everything)
			f.opens("the one that was issued, still", second.Access, test.want)
		})
	}
}

// However often and whenever it is asked, a repeat answers what the first
// exchange answered: it gives back nothing that was cut, and takes nothing from
// a token that another window has.
func TestT48ARepeatNeverMovesTheCut(t *testing.T) {
	for _, test := range []struct {
		name  string
		first []string
		again []string
		want  error
	}{
		{"the same list", []string{"notes:read"}, []string{"notes:read"}, nil},
		{"no list, though the first had one", []string{"notes:read"}, nil, nil},
		{"a wider list", []string{"notes:read"}, []string{"notes:read", "notes:write"}, nil},
		{"another list", []string{"notes:read"}, []string{"notes:write"}, ErrAnswered},
		{"a list, though the first had none", nil, []string{"notes:read"}, ErrAnswered},
		{"a narrower list", []string{"notes:read", "notes:write"}, []string{"notes:read"}, ErrAnswered},
		{"a list of everything, as the first without one meant", nil, []string{"notes:read", "notes:write"}, nil},
		{"more than the grant has", []string{"notes:read"}, []string{"notes:read", "notes:export"}, ErrScope},
	} {
		for name, wait := range map[string]time.Duration{"at once": 0, "after the overlap": time.Minute, "when the access token is gone": 2 * time.Hour} {
			if wayOf(t) != "" && wait < life.Access {
				continue // the longest wait has all of it
			}
			t.Run(test.name+", "+name, func(t *testing.T) {
				f := newFixture(t)
				one := f.rich()
				two, err := f.narrow(one.Refresh, test.first...)
				if err != nil {
					t.Fatal(err)
				}
				f.wait(wait)
				f.collect()
				f.restart(newSecret, oldSecret)
				again, err := f.narrow(one.Refresh, test.again...)
				if err != test.want {
					t.Fatalf("Refresh error = %v, want %v", err, test.want)
				}
				if err != nil { // and nothing happened: without a list it is the answer of before
					if again.Access.Reveal() != "" {
						t.Error("a refused repeat has a token")
					}
					again = f.refresh(one.Refresh)
				}
				if again.Pair != two.Pair || !slices.Equal(again.Scopes, two.Scopes) {
					t.Errorf("same pair: %v, with %v; want %v", again.Pair == two.Pair, again.Scopes, two.Scopes)
				}
				f.opens("the repeated", again.Access, two.Scopes)
				f.opens("the next", f.refresh(again.Refresh).Access, everything)
			})
		}
	}
}

// A token that was cut stays so to its end: what its grant loses it loses, what
// its grant gains opens nothing for it, and a person who signs out and in again
// changes that no more. The next refresh begins anew.
func TestACutTokenNeverGrows(t *testing.T) {
	f := newFixture(t)
	cut, err := f.narrow(f.rich().Refresh, "notes:read")
	if err != nil {
		t.Fatal(err)
	}
	f.mustSignOut(cut)
	f.opens("after a sign-out", cut.Access, []string{Guest})
	f.mustClaim(cut, "bob", 3)
	gr := f.grant(cut.Access)
	if !slices.Equal(gr.Scopes, writing) {
		t.Fatalf("bob's grant has %v, want %v", gr.Scopes, writing)
	}
	f.opens("after a claim", cut.Access, []string{Guest})
	gr.Scopes = everything
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.PutGrant(ctx, gr) })
	f.opens("after the grant got more", cut.Access, reading)
	f.opens("and the next", f.refresh(cut.Refresh).Access, everything)
}

// What a list is good for is decided by the rules, on what is stored: a grant
// that is taken a scope back gives it to no token.
func TestScopesAreTheGrantsCutToTheTokens(t *testing.T) {
	for _, test := range []struct {
		name               string
		token, grant, want []string
	}{
		{"a token without a list opens its grant's", nil, everything, everything},
		{"a list cuts", reading, everything, reading},
		{"and adds nothing", everything, reading, reading},
		{"in the order of the grant", []string{"notes:write", Guest}, everything, writing},
		{"two that share nothing open nothing", []string{"notes:read"}, []string{Guest}, nil},
		{"a grant without scopes opens nothing", nil, nil, nil},
	} {
		gr := store.Grant{Scopes: slices.Clone(test.grant)}
		got := Scopes(store.Token{Scopes: test.token}, gr)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		if len(got) > 0 {
			got[0] = "changed"
		}
		if !slices.Equal(gr.Scopes, test.grant) {
			t.Errorf("%s: who changes what was returned changes the grant", test.name)
		}
	}
}

func TestT48RacingRefreshesWithListsHaveOneAnswer(t *testing.T) {
	f := newFixture(t)
	for round := range f.rounds(5) {
		token := f.rich().Refresh
		lists := [][]string{nil, {"notes:read"}, {"notes:write"}, {"notes:read", "notes:write"}}
		var issued [20]Issued
		errs := race(len(issued), func(i int) (err error) {
			issued[i], err = f.narrow(token, lists[i%len(lists)]...)
			return err
		})
		var first Issued
		for i, err := range errs {
			switch {
			case err != nil && err != ErrAnswered:
				t.Errorf("round %d, window %d: %v", round, i, err)
			case err != nil:
			case first.Access.Reveal() == "":
				first = issued[i]
			case issued[i].Pair != first.Pair || !slices.Equal(issued[i].Scopes, first.Scopes):
				t.Errorf("round %d, window %d: another answer than the first", round, i)
			}
			if asked := lists[i%len(lists)]; err == nil && asked != nil && !within(issued[i].Scopes, append(asked, Guest)) {
				t.Errorf("round %d, window %d asked for %v and got %v", round, i, asked, issued[i].Scopes)
			}
			if i%len(lists) == 0 && err != nil {
				t.Errorf("round %d: a window that asked for no list was refused", round)
			}
		}
		f.opens("the answer", first.Access, first.Scopes)
	}
}
