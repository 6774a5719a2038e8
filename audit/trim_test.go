package audit

import (
	"errors"
	"testing"
	"time"
)

const kept = 90 * 24 * time.Hour

func TestWhatIsLeftVerifiesWhenTheOldestHaveGone(t *testing.T) {
	r := newRoom(t)
	r.sealed(batch + 10)
	r.at = r.at.Add(kept)
	r.sealed(5)
	r.put(2) // which wait
	for _, want := range []int{5, 5} {
		if err := r.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.wantReport(want, 2, oldSecret)
	}
	if first := r.events()[0]; first.Place != batch+11 {
		t.Errorf("the oldest stands at %d", first.Place)
	}
	r.restart(oldSecret)
	r.sealed(1)
	r.wantReport(8, 0, oldSecret)
	r.at = r.at.Add(2 * kept)
	if err := r.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantReport(0, 0, oldSecret)
	r.sealed(3)
	r.wantReport(3, 0, oldSecret)
}

func TestAnEventIsKeptForItsWholeTime(t *testing.T) {
	r := newRoom(t)
	r.sealed(1)
	r.at = r.at.Add(kept)
	if err := r.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantReport(1, 0, oldSecret)
	r.at = r.at.Add(time.Microsecond)
	if err := r.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantReport(0, 0, oldSecret)
}

// After the oldest have gone, as before: what is changed, and what is taken out,
// is found, the new first event included.
func TestAChainThatWasTrimmedIsAsSafe(t *testing.T) {
	for _, statement := range []string{
		"DELETE FROM foyer_events WHERE place = 4",
		"DELETE FROM foyer_events WHERE place = 6",
		"UPDATE foyer_events SET reason = 'x' WHERE place = 4",
		"UPDATE foyer_events SET place = 2 WHERE place = 4",
		"DELETE FROM foyer_chains",
	} {
		r := newRoom(t)
		r.sealed(3)
		r.at = r.at.Add(kept)
		r.sealed(3)
		if err := r.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.vandal().exec(statement)
		r.wantFound(statement, -1, "")
	}
}

// Nothing is deleted of what was tampered with: the traces stay. Nor can somebody
// have an event deleted early by making it old.
func TestNothingIsDeletedFromAChainThatWasTamperedWith(t *testing.T) {
	for _, statement := range []string{
		"UPDATE foyer_events SET reason = 'x' WHERE place = 2",
		"DELETE FROM foyer_events WHERE place = 2",
		"UPDATE foyer_events SET at = 1",
	} {
		r := newRoom(t)
		r.sealed(3)
		if statement != "UPDATE foyer_events SET at = 1" {
			r.at = r.at.Add(2 * kept)
		}
		r.vandal().exec(statement)
		before := len(r.events())
		var found *Tampering
		if err := r.Trim(t.Context()); !errors.As(err, &found) {
			t.Errorf("%s: Trim = %v", statement, err)
		}
		if n := len(r.events()); n != before {
			t.Errorf("%s: %d events are left of %d", statement, n, before)
		}
	}
}
