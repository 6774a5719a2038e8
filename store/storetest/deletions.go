package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/foyer/store"
)

var deletionTests = []test{
	{"a deletion comes back as it was put", roundTrip(store.Tx.PutDeletion,
		func(d store.Deletion) store.Deletion { return store.Deletion{UserID: d.UserID} },
		func(ctx context.Context, tx store.Tx, d store.Deletion) (store.Deletion, error) {
			return tx.Deletion(ctx, d.UserID)
		})},
	{"deletions are found when they are due, until they are dropped", testDeletionsDue},
	{"the sessions of a user are found, the newest first", testSessionsOfUser},
	{"what browsers remember of a grant is forgotten", testForgetGrant},
	{"a user takes along what is theirs, and nothing else", testDeleteUser},
}

func testDeletionsDue(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		var errs []error
		for id, due := range map[string]int64{"a": 30, "b": 10, "c": 20, "d": 5} {
			errs = append(errs, tx.PutDeletion(ctx, store.Deletion{UserID: id, Due: at(due)}))
		}
		return errors.Join(append(errs, tx.DropDeletion(ctx, "d"), tx.DropDeletion(ctx, "nobody"))...)
	})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for _, row := range []struct {
			now   int64
			limit int
			want  string
		}{{9, 9, ""}, {10, 9, "b"}, {99, 9, "bca"}, {99, 2, "bc"}, {99, 0, ""}} {
			due, err := tx.DeletionsDue(ctx, at(row.now), row.limit)
			got := ""
			for _, d := range due {
				got += d.UserID
			}
			if got != row.want || err != nil {
				t.Errorf("due at %d, at most %d: %q, %v; want %q", row.now, row.limit, got, err, row.want)
			}
		}
		return nil
	})
}

func testSessionsOfUser(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		var errs []error
		for i, user := range []string{"u", "v", "u", ""} {
			errs = append(errs, tx.PutSession(ctx, store.Session{Hash: store.Hash{byte(i)}, UserID: user, Created: at(int64(i))}))
		}
		return errors.Join(errs...)
	})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for user, want := range map[string][]byte{"u": {2, 0}, "v": {1}, "": nil, "w": nil} {
			all, err := tx.SessionsOfUser(ctx, user)
			var got []byte
			for _, there := range all {
				got = append(got, there.Hash[0])
			}
			if !slices.Equal(got, want) || err != nil {
				t.Errorf("of %q: %v, %v; want %v", user, got, err, want)
			}
		}
		return nil
	})
}

func testForgetGrant(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{1}, ClientID: "c", GrantID: "g"}), tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{2}, ClientID: "c", GrantID: "g"}),
			tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{1}, ClientID: "d", GrantID: "h"}), tx.ForgetGrant(ctx, "g"))
	})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for i := range byte(2) {
			if _, err := tx.Browser(ctx, store.Hash{i + 1}, "c"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("browser %d: %v", i+1, err)
			}
		}
		_, err := tx.Browser(ctx, store.Hash{1}, "d")
		return err
	})
}

// testDeleteUser has two users with one of each, and a guest whose grant expects
// the digits that were mailed to either, and who was the first one once.
func testDeleteUser(t *testing.T, s *suite) {
	users := map[string]byte{"ann": 10, "bob": 20}
	putGrants(t, s, store.Grant{ID: "guest's", GuestID: "g", KnownUserID: "ann"})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for u, n := range users {
			if err := errors.Join(
				tx.PutUser(ctx, store.User{ID: u, Email: u + "@example.com"}),
				tx.PutDeletion(ctx, store.Deletion{UserID: u}),
				tx.PutGrant(ctx, store.Grant{ID: u, UserID: u}),
				tx.PutToken(ctx, store.Token{Hash: store.Hash{n}, Kind: store.Access, GrantID: u}),
				tx.PutChallenge(ctx, store.Challenge{ID: u, GrantID: u, Email: "other@example.com"}),
				tx.PutChallenge(ctx, store.Challenge{ID: u + " asked", GrantID: "guest's", Email: u + "@example.com"}),
				tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{n}, ClientID: "c", GrantID: u}),
				tx.PutSession(ctx, store.Session{Hash: store.Hash{n}, UserID: u}),
				tx.PutSession(ctx, store.Session{Hash: store.Hash{n + 1}, Email: u + "@example.com"}),
				tx.PutOperation(ctx, store.Operation{ID: u, UserID: u, GrantID: "guest's"}),
				tx.PutOperation(ctx, store.Operation{ID: u + " before", GrantID: u}),
				tx.PutEvent(ctx, store.Event{ID: u, UserID: u, At: time.UnixMicro(1)}),
				tx.PutCounter(ctx, store.Counter{Key: u}),
			); err != nil {
				return err
			}
		}
		return errors.Join(tx.DeleteUser(ctx, "ann"), tx.DeleteUser(ctx, "nobody"), tx.DeleteUser(ctx, ""))
	})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for u, n := range users {
			for what, err := range found(ctx, tx, u, n) {
				if gone := errors.Is(err, store.ErrNotFound); gone != (u == "ann") || err != nil && !gone {
					t.Errorf("%s of %s: %v", what, u, err)
				}
			}
			events, err := tx.EventsOfUser(ctx, u, 10)
			_, counterErr := tx.Counter(ctx, u)
			if len(events) != 1 || err != nil || counterErr != nil {
				t.Errorf("what stays of %s: %v, %v, %v", u, events, err, counterErr)
			}
		}
		return nil
	})
	wantGrants(t, s, map[string]bool{"guest's": true})
}

// found looks up what is there of a user.
func found(ctx context.Context, tx store.Tx, u string, n byte) map[string]error {
	found := map[string]error{}
	_, found["the user"] = tx.User(ctx, u)
	_, found["the address"] = tx.UserByEmail(ctx, u+"@example.com")
	_, found["the deletion"] = tx.Deletion(ctx, u)
	_, found["the grant"] = tx.Grant(ctx, u)
	_, found["the token"] = tx.Token(ctx, store.Hash{n})
	_, found["what a browser remembers"] = tx.Browser(ctx, store.Hash{n}, "c")
	for i, what := range []string{"the session", "a sign-in that is under way"} {
		_, found[what] = tx.Session(ctx, store.Hash{n + byte(i)})
	}
	for _, id := range []string{"", " asked"} {
		_, found[fmt.Sprintf("the challenge%s", id)] = tx.Challenge(ctx, u+id)
	}
	for _, id := range []string{"", " before"} {
		_, found[fmt.Sprintf("the operation%s", id)] = tx.Operation(ctx, u+id)
	}
	return found
}
