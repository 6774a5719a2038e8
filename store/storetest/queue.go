package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"example.com/foyer/store"
)

var queueTests = []test{
	{"mails are due in the order that they wait", testDue},
	{"the next mail is the one that is due first", testNextDue},
}

func putMails(t *testing.T, s store.Store, mails ...store.Outgoing) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for _, m := range mails {
			if err := tx.PutOutgoing(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func testDue(t *testing.T, s *suite) {
	putMails(t, s,
		store.Outgoing{ID: "third", Due: at(30)},
		store.Outgoing{ID: "first", Due: at(10)},
		store.Outgoing{ID: "later", Due: at(41)},
		store.Outgoing{ID: "second", Due: at(20)},
		store.Outgoing{ID: "last", Due: at(40)})
	for _, row := range []struct {
		now   int64
		limit int
		want  []string
	}{
		{9, 10, nil},
		{40, 10, []string{"first", "second", "third", "last"}},
		{39, 10, []string{"first", "second", "third"}},
		{40, 2, []string{"first", "second"}},
		{40, 0, nil},
		{40, -1, nil},
	} {
		t.Run(fmt.Sprintf("at %d, at most %d", row.now, row.limit), func(t *testing.T) {
			view(t, s, func(ctx context.Context, tx store.Tx) error {
				due, err := tx.DueOutgoing(ctx, at(row.now), row.limit)
				var got []string
				for _, o := range due {
					got = append(got, o.ID)
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("due are %q, want %q", got, row.want)
				}
				return err
			})
		})
	}
}

func testNextDue(t *testing.T, s *suite) {
	putMails(t, s, store.Outgoing{ID: "b", Due: at(20)}, store.Outgoing{ID: "a", Due: at(10)})
	next := func(want int64) {
		t.Helper()
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			due, err := tx.NextDue(ctx)
			if due != at(want) {
				t.Errorf("NextDue = %v, want %v", due, at(want))
			}
			return err
		})
	}
	next(10)
	putMails(t, s, store.Outgoing{ID: "a", Due: at(30), Attempts: 1}) // put off
	next(20)
	remove := func(id string) {
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.DeleteOutgoing(ctx, id) })
	}
	remove("b")
	next(30)
	remove("a")
	remove("a") // gone already: no error
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		if due, err := tx.NextDue(ctx); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("NextDue of an empty queue = %v, %v; want ErrNotFound", due, err)
		}
		return nil
	})
}
