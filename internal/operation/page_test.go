package operation

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// told are the events that an act of s leaves.
func (s *shownTo) told(act func()) (told []store.Event) {
	s.t.Helper()
	before := map[string]bool{}
	all := func() (all []store.Event) {
		s.put(func(tx store.Tx) (err error) { all, err = tx.UnsealedEvents(s.t.Context(), 100); return err })
		return all
	}
	for _, e := range all() {
		before[e.ID] = true
	}
	act()
	for _, e := range all() {
		if !before[e.ID] {
			told = append(told, e)
		}
	}
	return told
}

// What a user decides on a page is an event by the user: a yes when it is said, and
// not when the thing is begun; once, however often the button is pressed.
func TestWhatIsDecidedOnAPageLeavesItsEvent(t *testing.T) {
	approve := func(s *shownTo, by gate.Confirmation) func() {
		return func() {
			if o, err := s.Approve(t.Context(), s.op.ID, "ann", by); err != nil || o.Confirmed < int(by) {
				t.Errorf("a yes: %+v, %v", o, err)
			}
		}
	}
	wants := func(what string, told []store.Event, kind, reason, outcome, by string) {
		t.Helper()
		if len(told) != 1 {
			t.Fatalf("%s: %d events: %+v", what, len(told), told)
		}
		if e := told[0]; e.Kind != kind || e.Reason != reason || e.Outcome != outcome || e.By != by || e.UserID != "ann" || e.GrantID != "grant" || e.ClientID != "client" || e.Item != "tool book" || e.Operation == "" {
			t.Errorf("%s: %+v", what, e)
		}
	}
	s := newShownTo(t)
	wants("a yes", s.told(approve(s, gate.ByPage)), "operation_confirmed", "page", "", "user")
	if told := s.told(approve(s, gate.ByPage)); len(told) != 0 {
		t.Errorf("the same yes again: %+v", told)
	}
	wants("a stronger yes", s.told(approve(s, gate.ByFreshPage)), "operation_confirmed", "fresh_page", "", "user")
	if told := s.told(approve(s, gate.ByPage)); len(told) != 0 {
		t.Errorf("a weaker yes: %+v", told)
	}
	s.now = s.now.Add(time.Second)
	wants("the run", s.told(func() {
		if turn, err := s.begins(); err != nil || !turn.Run {
			t.Errorf("%+v, %v", turn, err)
		}
	}), "operation_begun", "fresh_page", "", "")

	s = newShownTo(t)
	wants("a no", s.told(func() {
		if o, err := s.Deny(t.Context(), s.op.ID, "ann"); err != nil || o.State != Declined {
			t.Errorf("%+v, %v", o, err)
		}
	}), "operation_ended", "", Declined, "user")
	s = newShownTo(t)
	wants("a no in the client", s.told(func() {
		if _, err := s.Decline(t.Context(), s.op.ID, s.who); err != nil {
			t.Error(err)
		}
	}), "operation_ended", "", Declined, "")

	s = newShownTo(t)
	told := s.told(func() {
		for _, user := range []string{"bob", ""} {
			if _, err := s.Approve(t.Context(), s.op.ID, user, gate.ByPage); !errors.Is(err, ErrGone) {
				t.Errorf("%q approves: %v", user, err)
			}
			if _, err := s.Deny(t.Context(), s.op.ID, user); !errors.Is(err, ErrGone) {
				t.Errorf("%q denies: %v", user, err)
			}
		}
		s.now = s.now.Add(previewTTL)
		if _, err := s.Deny(t.Context(), s.op.ID, "ann"); !errors.Is(err, ErrGone) {
			t.Errorf("what has expired is denied: %v", err)
		}
	})
	if len(told) != 0 {
		t.Errorf("strangers leave %+v", told)
	}
}

// unwilling is a store that takes no event.
type unwilling struct{ store.Store }

type unwillingTx struct{ store.Tx }

var errUnwilling = errors.New("no event is taken")

func (u unwilling) Update(ctx context.Context, fn func(store.Tx) error) error {
	return u.Store.Update(ctx, func(tx store.Tx) error { return fn(unwillingTx{tx}) })
}

func (unwillingTx) PutEvent(context.Context, store.Event) error { return errUnwilling }

// What cannot be recorded is not decided.
func TestNothingIsDecidedOnAPageWithoutItsEvent(t *testing.T) {
	s := newShownTo(t)
	s.Store = unwilling{s.db}
	if _, err := s.Approve(t.Context(), s.op.ID, "ann", gate.ByPage); !errors.Is(err, errUnwilling) {
		t.Errorf("a yes: %v", err)
	}
	if _, err := s.Deny(t.Context(), s.op.ID, "ann"); !errors.Is(err, errUnwilling) {
		t.Errorf("a no: %v", err)
	}
	s.Store = s.db
	if o, err := s.Shown(t.Context(), s.op.ID, "ann"); err != nil || o.Confirmed != 0 {
		t.Errorf("after both: %+v, %v", o, err)
	}
}
