package grant

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Ways in which the steps of a test are taken. Without one of them in its name a
// test has one process that lives throughout. What counts once, or in an
// overlap, must not hang on anything that a process keeps.
const (
	restarted = "restarted before each step"
	twoStores = "two stores on one file in turn"
)

func wayOf(t testing.TB) string {
	for _, way := range []string{restarted, twoStores} {
		if strings.Contains(t.Name(), strings.ReplaceAll(way, " ", "_")) {
			return way
		}
	}
	return ""
}

// turn takes one step of a test, on rules that the test's way chooses.
func (f *fixture) turn(step func(*Grants)) {
	n := f.turns.Add(1)
	switch f.way {
	case restarted:
		g := f.rules()
		defer f.end(g)
		step(g)
	case twoStores:
		step([]*Grants{f.Grants, f.second}[n%2])
	default:
		step(f.Grants)
	}
}

// rounds are n, or fewer where each step takes long.
func (f *fixture) rounds(n int) int {
	if f.way != "" {
		return (n + 39) / 40
	}
	return n
}

func (f *fixture) Redeem(ctx context.Context, e Exchange) (issued Issued, err error) {
	f.turn(func(g *Grants) { issued, err = g.Redeem(ctx, e) })
	return issued, err
}

func (f *fixture) Refresh(ctx context.Context, r Renewal) (issued Issued, err error) {
	f.turn(func(g *Grants) { issued, err = g.Refresh(ctx, r) })
	return issued, err
}

func (f *fixture) Check(ctx context.Context, accessToken, resource string) (b store.Bearer, err error) {
	f.turn(func(g *Grants) { b, err = g.Check(ctx, accessToken, resource) })
	return b, err
}

func (f *fixture) SignOut(ctx context.Context, access store.Hash) (err error) {
	f.turn(func(g *Grants) { err = g.SignOut(ctx, access) })
	return err
}

func (f *fixture) Revoke(ctx context.Context, clientID string, token store.Hash) (err error) {
	f.turn(func(g *Grants) { err = g.Revoke(ctx, clientID, token) })
	return err
}

func (f *fixture) Code(a Authorization) (code secret.Text, err error) {
	f.turn(func(g *Grants) { code, err = g.Code(a) })
	return code, err
}

// What is remembered is remembered by the file alone: the tests of single use,
// of overlap and of races pass with the rules and their store made anew before
// each step, and with two of both that are used in turn and at once.
func TestTheSameHoldsThroughRestartsAndTwoStores(t *testing.T) {
	tests := map[string]func(*testing.T){
		"a code is redeemed twice":            TestT47ARightSecondRedemptionRevokesWhatTheFirstGave,
		"a code is redeemed by many at once":  TestT47OfManyRacingRedemptionsOneSucceeds,
		"a code lives for its minute":         TestT47ACodeLivesForItsMinute,
		"many windows refresh at once":        TestT48RacingRefreshesAllGetOnePair,
		"a repeat does not forget":            TestT48ARepeatDoesNotForgetThatItsAnswerWasUsed,
		"a repeat keeps the grant alive":      TestT48ARepeatAfterTheOverlapKeepsTheGrantAlive,
		"two windows after a lost answer":     TestT48TwoWindowsAfterALostAnswerStaySignedIn,
		"two windows after a claim":           TestT48TwoWindowsThatRefreshAfterAClaimStaySignedIn,
		"one of two claims wins":              TestT14OfTwoRacingClaimsOneWins,
		"a claim and a refresh race":          TestT14AClaimAndARefreshMayRace,
		"a crossed token used twice":          TestT16TheCrossedRefreshTokenUsedTwiceRevokesAndMails,
		"one of many sign-outs happens":       TestT19OfManyRacingSignOutsOneHappens,
		"a revocation stays":                  TestARevocationStaysAsItWas,
		"the steps go by the way of the test": testWay,
		"a cut token never grows":             TestACutTokenNeverGrows,
		"a revoked grant's record stays":      TestX74ARevocationKeepsTheRecord,
	}
	run := func(way string) {
		for name, test := range tests {
			t.Run(fmt.Sprintf("%s/%s", way, name), test)
		}
	}
	run(restarted)
	maps.Copy(tests, map[string]func(*testing.T){ // with too many steps for a store to be opened at each
		"windows ask for different scopes": TestT48RacingRefreshesWithListsHaveOneAnswer,
		"a repeat never moves the cut":     TestT48ARepeatNeverMovesTheCut,
		"a refresh is repeated":            TestT48ARepeatedRefresh,
		"a wrong refresh consumes nothing": TestT48AWrongRefreshConsumesNothing,
		"reuse by many at once":            TestT48RacingReuseRevokesOnceAndMailsOnce,
		"sign-out, revocation and refresh": TestT48WhatRacesARefresh,
		"a grant ends at its end":          TestNoRefreshMovesAGrantPastItsAbsoluteEnd,
		"a caller gives up":                TestX50WhoeverGivesUpTheOthersGetOneAnswer,
	})
	run(twoStores)
}

// testWay sees that the ways are what they say.
func testWay(t *testing.T) {
	f := newFixture(t)
	seen := map[*Grants]int{}
	stores := map[store.Store]int{}
	for range 4 {
		f.turn(func(g *Grants) { seen[g]++; stores[g.store]++ })
	}
	if want := map[string]int{restarted: 4, twoStores: 2}[f.way]; want == 0 || len(seen) != want || len(stores) != want {
		t.Errorf("%s: four steps by %d rules over %d stores, want %d", f.way, len(seen), len(stores), want)
	}
}
