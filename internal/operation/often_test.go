package operation

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"example.com/foyer/store"
)

// previews shows n things more, and drops them at once.
func (s *shownTo) previews(n int) (err error) {
	s.t.Helper()
	for range n {
		o, err := s.Preview(s.t.Context(), Draft{Who: s.who, Tool: "book", Terms: "terms", Summary: fmt.Sprint("Book ", s.shows), Data: []byte(fmt.Sprint(s.shows))})
		if err != nil {
			return err
		}
		s.shows++
		if _, err := s.Cancel(s.t.Context(), o.ID, s.who); err != nil {
			s.t.Fatal(err)
		}
	}
	return nil
}

// A grant has 200 things shown in ten minutes, though it drops each at once, and a
// sign-out makes no room; another grant has its own.
func TestAGrantIsShown200ThingsInTenMinutes(t *testing.T) {
	s := newShownTo(t) // one
	if err := s.previews(198); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(4 * time.Minute)
	if err := s.previews(1); err != nil {
		t.Fatal(err)
	}
	if err := s.previews(1); err != (TooOften{6 * time.Minute}) {
		t.Errorf("the 201st: %v", err)
	}
	s.now = s.now.Add(6*time.Minute - time.Microsecond)
	if err := s.previews(1); err != (TooOften{time.Microsecond}) {
		t.Errorf("an instant before ten minutes are over: %v", err)
	}
	other := Who{"other", "", "guest_2"}
	s.put(func(tx store.Tx) error {
		gr, err := tx.Grant(t.Context(), "grant")
		gr.UserID, gr.GuestID, gr.Epoch = "", "guest_3", gr.Epoch+1
		return errors.Join(err, tx.PutGrant(t.Context(), gr), tx.PutGrant(t.Context(), store.Grant{ID: "other", GuestID: "guest_2", Expires: gr.Expires}))
	})
	mine := s.who
	s.who = Who{"grant", "", "guest_3"}
	if err := s.previews(1); err != (TooOften{time.Microsecond}) {
		t.Errorf("after a sign-out: %v", err)
	}
	s.who = other
	if err := s.previews(200); err != nil {
		t.Errorf("another grant, of a guest: %v", err)
	}
	if err := s.previews(1); !errors.As(err, new(TooOften)) {
		t.Errorf("the guest's 201st: %v", err)
	}
	s.NoLimits = true
	if err := s.previews(50); err != nil {
		t.Errorf("without limits: %v", err)
	}
	s.NoLimits, s.who = false, mine
	if err := s.previews(1); !errors.Is(err, ErrGone) {
		t.Errorf("who signed out: %v", err)
	}
	s.who = Who{"grant", "", "guest_3"}
	s.now = s.now.Add(time.Microsecond)
	if err := s.previews(199); err != nil {
		t.Errorf("ten minutes after the first: %v", err)
	}
}

// What is refused is not counted: not who asks too often, and not what waits already.
func TestWhatIsNotShownIsNotCounted(t *testing.T) {
	s := newShownTo(t)
	for n := range 2*maxOpen + 1 {
		_, err := s.Preview(t.Context(), Draft{Who: s.who, Tool: "book", Terms: "terms", Summary: "Book it", Data: []byte(fmt.Sprint(n))})
		if n >= maxOpen-1 && !errors.Is(err, ErrTooMany) || n < maxOpen-1 && err != nil {
			t.Fatalf("number %d: %v", n+2, err)
		}
	}
	s.now = s.now.Add(previewTTL)
	if err := s.previews(200 - maxOpen); err != nil {
		t.Errorf("what was refused is counted: %v", err)
	}
	for range 3 {
		if err := s.previews(1); err != (TooOften{previewTTL}) {
			t.Errorf("who asks again: %v", err)
		}
	}
}

// A no is remembered for its ten minutes, however much is shown in between.
func TestANoOutlivesWhatIsShownAfterIt(t *testing.T) {
	s := newShownTo(t)
	draft := Draft{Who: s.who, Tool: "book", Terms: "terms", Arguments: []byte(`{"a":1}`), Summary: "Book it", Data: []byte(`{"b":2}`), World: "w1"}
	s.now = s.now.Add(time.Microsecond)
	if err := s.previews(199); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(previewTTL - 2*time.Microsecond)
	if _, err := s.Decline(t.Context(), s.op.ID, s.who); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(remembered - previewTTL + 2*time.Microsecond)
	if err := s.previews(199); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Preview(t.Context(), draft); !errors.Is(err, ErrDeclined) {
		t.Errorf("after 398 other things: %v", err)
	}
}
