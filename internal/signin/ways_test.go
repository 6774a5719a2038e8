package signin

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// Ways in which the steps of a test are taken. Without one of them in its name a
// test has one process that lives throughout. What is counted, or counts once,
// must not hang on anything that a process keeps.
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
func (r *room) turn(step func(*SignIn)) {
	n := r.turns.Add(1)
	switch r.way {
	case restarted:
		r.opened <- struct{}{}
		defer func() { <-r.opened }()
		s := r.rules()
		defer s.Store.Close()
		step(s)
	case twoStores:
		step([]*SignIn{r.SignIn, r.second}[n%2])
	default:
		step(r.SignIn)
	}
}

func (r *room) Begin(ctx context.Context, a Asker, address mail.Address) (b Begun, err error) {
	r.turn(func(s *SignIn) { b, err = s.Begin(ctx, a, address) })
	return b, err
}

func (r *room) Verify(ctx context.Context, a Asker, digits string) (u store.User, err error) {
	r.turn(func(s *SignIn) { u, err = s.Verify(ctx, a, digits) })
	return u, err
}

// rounds are n, or fewer where each step takes long.
func (r *room) rounds(n int) int {
	if r.way != "" {
		return (n + 39) / 40
	}
	return n
}

// What is remembered is remembered by the file alone: the tests of attempts,
// budgets, single use and races pass with the rules and their store made anew
// before each step, and with two of both that are used in turn and at once.
func TestTheSameHoldsThroughRestartsAndTwoStores(t *testing.T) {
	tests := map[string]func(*testing.T){
		"the sixth answer fails":                TestT01TheSixthAnswerFailsThoughItIsRight,
		"the fifth may be right":                TestT01TheFifthAnswerMayBeRight,
		"a new code resets no budget":           TestT03ANewCodeResetsNoBudget,
		"a grant gets ten wrong answers":        TestT03TenWrongAnswersAreAllThatAGrantGets,
		"a grant asks for three addresses":      TestT12AGrantAsksForThreeAddressesADay,
		"two addresses are never expected":      TestT14TwoAddressesAreNeverExpectedAtOnce,
		"one of two claims wins":                TestT14OfTwoRacingClaimsOneWins,
		"a claim and a sign-out race":           TestT14AClaimAndASignOutRace,
		"a claim and a refresh race":            TestT14AClaimAndARefreshRace,
		"a refused claim makes no user":         TestT17ARefusedClaimMakesNoUser,
		"a sign-out ends what was asked":        TestT20ASignOutEndsWhatWasAskedBefore,
		"a grant asks again too soon":           TestAGrantThatAsksAgainTooSoonIsTold,
		"who signs out signs in again":          TestWhoSignsOutMaySignInAgainAtOnce,
		"digits from a transcript open nothing": TestT62DigitsFromATranscriptOpenNothing,
		"the steps go by the way of the test":   testWay,
	}
	run := func(way string) {
		for name, test := range tests {
			t.Run(fmt.Sprintf("%s/%s", way, name), test)
		}
	}
	run(restarted)
	maps.Copy(tests, map[string]func(*testing.T){ // with too many steps for a store to be opened at each
		"an address gets twenty wrong answers": TestT02TwentyWrongAnswersAreAllThatAnAddressGets,
		"wrong answers race":                   TestT05OfRacingWrongAnswersExactlyFiveAreCompared,
		"right answers race":                   TestT05OfRacingRightAnswersExactlyOneSucceeds,
		"who signed in before":                 TestT08WhoSignedInBeforeIsNotLockedOut,
		"a budget of one's own":                TestT08ABudgetOfOnesOwnIsABudget,
		"a mailbox gets so many mails":         TestAMailboxGetsSoManyMails,
		"a grant gets ten wrong answers a day": TestAGrantGetsTenWrongAnswersADay,
		"digits live ten minutes":              TestDigitsLiveTenMinutes,
	})
	run(twoStores)
}

// testWay sees that the ways are what they say.
func testWay(t *testing.T) {
	r := newRoom(t)
	stores := map[store.Store]int{}
	for range 4 {
		r.turn(func(s *SignIn) { stores[s.Store]++ })
	}
	if want := map[string]int{restarted: 4, twoStores: 2}[r.way]; want == 0 || len(stores) != want {
		t.Errorf("%s: four steps over %d stores, want %d", r.way, len(stores), want)
	}
}
