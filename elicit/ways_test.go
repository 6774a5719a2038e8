package elicit

import (
	"fmt"
	"strings"
	"testing"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// Ways in which the steps of a test are taken. Without one of them in its name a
// test has one process that lives throughout. What counts once must not hang on
// anything that a process keeps.
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

// open opens the room's file once more, to the end of the test.
func (r *room) open() store.Store {
	r.t.Helper()
	s, err := sqlite.Open(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return s
}

// turn is where one message is sent to, by the test's way.
func (r *room) turn() (url string) {
	n := r.turns.Add(1)
	switch r.way {
	case restarted:
		url, _ = r.serve(r.open())
		return url
	case twoStores:
		return []string{r.url, r.second}[n%2]
	}
	return r.url
}

// What was asked and answered is remembered by what the client carries, and by
// the file.
func TestTheSameHoldsThroughRestartsAndTwoStores(t *testing.T) {
	for _, way := range []string{restarted, twoStores} {
		for name, test := range map[string]func(*testing.T){
			"questions and answers":               TestAQuestionEndsTheRunAndItsAnswerGoesOn,
			"a second use is refused":             TestASecondUseIsRefused,
			"of many uses one runs":               TestOfManyUsesAtOnceOneRuns,
			"an answer is for its question":       TestAnAnswerIsForTheQuestionAsItWasPut,
			"the steps go by the way of the test": testWay,
		} {
			t.Run(fmt.Sprintf("%s/%s", way, name), test)
		}
	}
}

// testWay sees that the ways are what they say.
func testWay(t *testing.T) {
	r := newRoom(t)
	urls := map[string]bool{}
	for range 4 {
		urls[r.turn()] = true
	}
	if want := map[string]int{restarted: 4, twoStores: 2}[r.way]; want == 0 || len(urls) != want {
		t.Errorf("%s: four steps at %d servers, want %d", r.way, len(urls), want)
	}
}
