package foyertest_test

import (
	"reflect"
	"testing"
	"time"

	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
)

func TestACallerIsWhoTheGateWouldSee(t *testing.T) {
	for _, test := range []struct {
		name   string
		caller foyertest.Caller
		want   gate.Caller
	}{
		{"nobody has nothing", foyertest.Nobody(), gate.Caller{}},
		{"a guest has a guest's scope", foyertest.Guest(), gate.Caller{GrantID: "grant_of_guest", GuestID: "guest_of_guest", Scopes: []string{"guest"}}},
		{"a user has what a sign-in in the chat gives", foyertest.User("ann"), gate.Caller{GrantID: "grant_of_ann", GuestID: "guest_of_ann", UserID: "ann", Email: "ann@example.com", Level: "chat",
			Scopes: []string{"guest", "money:send", "money:see", "acr:chat"}}},
		{"or what the test says, with what that implies", foyertest.User("bob").Scopes("money:send").Roles("clerk").Level("email"), gate.Caller{GrantID: "grant_of_bob", GuestID: "guest_of_bob", UserID: "bob",
			Email: "bob@example.com", Level: "email", Roles: []string{"clerk"}, Scopes: []string{"guest", "money:send", "money:see", "acr:chat", "acr:email"}}},
		{"which may be nothing", foyertest.User("cem").Scopes(), gate.Caller{GrantID: "grant_of_cem", GuestID: "guest_of_cem", UserID: "cem", Email: "cem@example.com", Level: "chat",
			Scopes: []string{"guest", "acr:chat"}}},
	} {
		got := test.caller.In(t, bank())
		if since := time.Since(got.At); since < 0 || since > time.Minute || got.SignedIn() && got.AuthTime != got.At {
			t.Errorf("%s: at %v, authenticated at %v", test.name, got.At, got.AuthTime)
		}
		if got.At, got.AuthTime = (time.Time{}), (time.Time{}); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v\nwant %+v", test.name, got, test.want)
		}
	}
	if got := foyertest.User("ann").Age(time.Hour).In(t, bank()); got.At.Sub(got.AuthTime) != time.Hour {
		t.Errorf("authenticated at %v, at %v", got.AuthTime, got.At)
	}
}

func TestARuleAboutArgumentsIsAskedWithoutAServer(t *testing.T) {
	cfg := bank()
	ann := foyertest.User("ann").In(t, cfg)
	for want, amount := range map[string]float64{"allow": 100, "deny: arguments": 101} {
		if d := cfg.Tools.Decide(ann, "send", map[string]any{"amount": amount}); d.String() != want {
			t.Errorf("send %v: %v, want %s", amount, d, want)
		}
	}
}
