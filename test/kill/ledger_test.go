package main

import (
	"slices"
	"testing"
	"time"
)

// twice is a grant that was refreshed twice.
func twice() *grant {
	g := &grant{}
	for _, n := range []string{"1", "2", "3"} {
		g.issued("access "+n, "refresh "+n, time.Now())
	}
	return g
}

func alive(tokens []*token) (names []string) {
	for _, t := range tokens {
		if !t.dead {
			names = append(names, t.text)
		}
	}
	return names
}

func TestWhatWorksAfterEachAct(t *testing.T) {
	ann := newUser("ann@a.example")
	for _, test := range []struct {
		name            string
		act             func(*grant)
		access, refresh []string
	}{
		{"a refresh leaves the older access tokens as they are", func(*grant) {},
			[]string{"access 1", "access 2", "access 3"}, []string{"refresh 1", "refresh 2", "refresh 3"}},
		{"two tokens cross a claim", func(g *grant) { g.mailed(ann, time.Now()); g.claimed(g.access[1]) },
			[]string{"access 2"}, []string{"refresh 3"}},
		{"two tokens cross a sign-out", func(g *grant) { g.signedOut(g.access[0]) },
			[]string{"access 1"}, []string{"refresh 3"}},
		{"none outlives the grant", (*grant).ended, nil, nil},
		{"what was left behind stays behind", func(g *grant) {
			g.signedOut(g.access[0])
			g.issued("access 4", "refresh 4", time.Now())
			g.signedOut(g.access[3])
		}, []string{"access 4"}, []string{"refresh 4"}},
	} {
		g := twice()
		test.act(g)
		if got := alive(g.access); !slices.Equal(got, test.access) {
			t.Errorf("%s: %v work, want %v", test.name, got, test.access)
		}
		if got := alive(g.refresh); !slices.Equal(got, test.refresh) {
			t.Errorf("%s: %v work, want %v", test.name, got, test.refresh)
		}
	}
}

func TestWhatMayBeRepeated(t *testing.T) {
	g := twice()
	if got := g.previous(); got == nil || got.text != "refresh 2" {
		t.Errorf("the one before the current may be repeated, not %v", got)
	}
	if got := g.outdated(); got == nil || got.text != "refresh 1" {
		t.Errorf("the one before that is outdated, not %v", got)
	}
	g.current().at = time.Now().Add(-time.Minute)
	if got := g.previous(); got != nil {
		t.Errorf("%v may not be repeated after a minute", got)
	}
	g.current().at = time.Now()
	g.signedOut(g.access[2])
	if got := g.previous(); got != nil {
		t.Errorf("%v stayed behind, and may not be repeated", got)
	}
}

func TestWhoIsBehindAGrant(t *testing.T) {
	ann := newUser("ann@a.example")
	g := twice()
	for _, step := range []struct {
		name       string
		act        func()
		status, as string
	}{
		{"at first a guest", func() {}, "guest", ""},
		{"who is mailed digits", func() { g.mailed(ann, time.Now()) }, "pending", "a***@a.example"},
		{"and answers wrong", func() { g.wronged(4) }, "pending", "a***@a.example"},
		{"five times", func() { g.wronged(5) }, "guest", ""},
		{"and gets others", func() { g.mailed(ann, time.Now()) }, "pending", "a***@a.example"},
		{"which are right", func() { g.claimed(g.access[2]) }, "signed_in", "a***@a.example"},
		{"and signs out", func() { g.signedOut(g.access[2]) }, "guest", ""},
		{"and asks again, and waits too long", func() { g.mailed(ann, time.Now().Add(-time.Hour)) }, "guest", ""},
	} {
		step.act()
		if status, as := g.status(); status != step.status || as != step.as {
			t.Errorf("%s: %s %s, want %s %s", step.name, status, as, step.status, step.as)
		}
	}
}

func TestBudgetsOfAGrant(t *testing.T) {
	g, ann := twice(), newUser("ann@a.example")
	g.mailed(ann, time.Now())
	g.claimed(g.access[2])
	if g.mayAsk(nil) {
		t.Error("who is signed in asks for no mail")
	}
	g.signedOut(g.access[2])
	if !g.mayAsk(ann) {
		t.Error("who was signed in may come back")
	}
	g.mailed(ann, time.Now())
	g.claimed(g.access[2])
	g.signedOut(g.access[2])
	if g.mayAsk(ann) {
		t.Error("but once")
	}
	for _, address := range []string{"bob@b.example", "cid@c.example"} {
		if !g.mayAsk(nil) {
			t.Errorf("%s is one of three", address)
		}
		g.mailed(newUser(address), time.Now())
	}
	if g.mayAsk(nil) {
		t.Error("a fourth address is one too many")
	}
}
