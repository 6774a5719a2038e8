package audit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.com/foyer/store"
)

// decided is a decision at the room's moment.
func (r *room) decided(grant, user, item, outcome string) store.Event {
	return store.Event{At: r.at, Kind: store.EventDecided, GrantID: grant, UserID: user, Item: item, Outcome: outcome}
}

func TestEveryDecisionAboutAUserIsAnEvent(t *testing.T) {
	r := newRoom(t)
	for range 3 {
		r.Note(r.decided("g", "u", "tool a", store.OutcomeAllow))
	}
	r.flush()
	r.wantReport(3, 0, oldSecret)
	for _, e := range r.events() {
		if e.ID == "" || e.Count != 1 || e.Item != "tool a" || !e.At.Equal(r.at) {
			t.Errorf("%+v", e)
		}
	}
}

func TestAStrangerLeavesNoEvent(t *testing.T) {
	r := newRoom(t)
	r.Note(r.decided("", "", "tool a", store.OutcomeDeny))
	r.flush()
	r.wantReport(0, 0, oldSecret)
}

// Whoever is refused goes on and on, and a guest costs nothing: what repeats
// within a minute is two events, the first and all others.
func TestRepeatsAreOneEventAMinute(t *testing.T) {
	for _, test := range []struct {
		what, user, outcome string
	}{{"a user who is refused", "u", store.OutcomeDeny}, {"a user who is challenged", "u", store.OutcomeChallenge}, {"a guest who is let in", "", store.OutcomeAllow}} {
		t.Run(test.what, func(t *testing.T) {
			r := newRoom(t)
			begun := r.at
			for range 50 { // for 50 seconds
				r.Note(r.decided("g", test.user, "tool a", test.outcome))
				r.Note(r.decided("g", test.user, "tool b", test.outcome))
				r.Note(r.decided("other", test.user, "tool a", test.outcome))
				r.flush()
				r.at = r.at.Add(time.Second)
			}
			r.wantReport(3, 0, oldSecret)
			r.at = r.at.Add(10 * time.Second)
			r.flush()
			r.wantReport(6, 0, oldSecret)
			for _, e := range r.events()[3:] {
				if e.Count != 49 || !e.At.Equal(begun.Add(time.Second)) || !e.Until.Equal(begun.Add(49*time.Second)) {
					t.Errorf("%+v", e)
				}
			}
			r.Note(r.decided("g", test.user, "tool a", test.outcome))
			r.flush()
			r.wantReport(7, 0, oldSecret)
			r.at = r.at.Add(time.Hour)
			r.flush() // nothing more came: no event says so
			r.wantReport(7, 0, oldSecret)
			if len(r.notes.alike) != 0 {
				t.Errorf("%d likenesses are remembered", len(r.notes.alike))
			}
		})
	}
}

func TestWhatThereIsNoRoomForIsCounted(t *testing.T) {
	r := newRoom(t)
	for range mostNotes + 5 {
		r.Note(r.decided("g", "u", "tool a", store.OutcomeAllow))
	}
	r.flush()
	r.wantReport(mostNotes+1, 0, oldSecret)
	last := r.events()[mostNotes]
	for _, e := range r.events() {
		if e.Kind == store.EventLost {
			last = e
		}
	}
	if last.Kind != store.EventLost || last.Count != 5 {
		t.Errorf("%+v; want 5 lost", last)
	}
	r.flush()
	r.wantReport(mostNotes+1, 0, oldSecret) // and told once
}

// broken fails every Update while it is told to.
type broken struct {
	store.Store
	off bool
}

var errOff = errors.New("off")

func (b *broken) Update(ctx context.Context, fn func(store.Tx) error) error {
	if b.off {
		return errOff
	}
	return b.Store.Update(ctx, fn)
}

func TestWhatCannotBeWrittenWaits(t *testing.T) {
	r := newRoom(t)
	s := &broken{Store: r.store, off: true}
	r.Trail = r.trail(s, oldSecret)
	for range mostNotes - 2 {
		r.Note(r.decided("g", "u", "tool a", store.OutcomeAllow))
	}
	for range 2 {
		if err := r.Flush(t.Context()); !errors.Is(err, errOff) {
			t.Fatalf("Flush = %v", err)
		}
	}
	for range 4 {
		r.Note(r.decided("g", "u", "tool b", store.OutcomeAllow))
	}
	s.off = false
	r.flush()
	if n := len(r.events()); n != mostNotes+1 {
		t.Errorf("%d events, want all but two, and one that says so", n)
	}
}

// Close writes also the repeats of a minute that is not over.
func TestCloseLosesNothing(t *testing.T) {
	r := newRoom(t)
	for range 3 {
		r.Note(r.decided("g", "", "tool a", store.OutcomeDeny))
	}
	r.put(1)
	r.Close()
	r.wantReport(3, 0, oldSecret)
	total := 0
	for _, e := range r.events() {
		if e.Kind == store.EventDecided {
			total += e.Count
		}
	}
	if total != 3 {
		t.Errorf("%d decisions", total)
	}
}

// nobody is a store that cannot be reached.
type nobody struct{ store.Store }

func (nobody) View(context.Context, func(store.Tx) error) error   { return errOff }
func (nobody) Update(context.Context, func(store.Tx) error) error { return errOff }

// A fault that lasts is logged once, and not every second.
func TestAFaultIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lockedBuffer{}
		trail, err := New(Config{Store: nobody{}, Secrets: []string{oldSecret}, Now: time.Now, Log: loggerTo(log)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		trail.Run(ctx)
		if n := log.count("level=ERROR"); n != 1 {
			t.Errorf("%d records: %s", n, log)
		}
	})
}
