package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"example.com/foyer/store"
)

var expiryTests = []test{
	{"what has expired goes, what lasts and what never ends stays", testDeleteExpired},
	{"each call deletes so many of a kind and no more", testExpiryLimit},
	{"a grant takes its tokens and challenges along", testExpiryOfGrant},
}

// expiring puts a record of each kind that may expire, and looks it up again.
// n tells the records of one kind apart.
var expiring = map[string]struct {
	put    func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error
	lookup func(ctx context.Context, tx store.Tx, n byte) error
}{
	"client": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutClient(ctx, store.Client{ID: id(n), Digest: store.Hash{n}, Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error { _, err := tx.Client(ctx, id(n)); return err },
	},
	"grant": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutGrant(ctx, store.Grant{ID: id(n), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error { _, err := tx.Grant(ctx, id(n)); return err },
	},
	"token": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutToken(ctx, store.Token{Hash: store.Hash{n}, Kind: store.Access, GrantID: "lasting", Generation: int(n), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error {
			_, err := tx.Token(ctx, store.Hash{n})
			return err
		},
	},
	"redemption": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutRedemption(ctx, store.Redemption{CodeID: id(n), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error { _, err := tx.Redemption(ctx, id(n)); return err },
	},
	"challenge": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutChallenge(ctx, store.Challenge{ID: id(n), GrantID: "lasting", Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error { _, err := tx.Challenge(ctx, id(n)); return err },
	},
	"session": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutSession(ctx, store.Session{Hash: store.Hash{n}, Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error {
			_, err := tx.Session(ctx, store.Hash{n})
			return err
		},
	},
	"operation": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutOperation(ctx, store.Operation{ID: id(n), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error { _, err := tx.Operation(ctx, id(n)); return err },
	},
	"counter": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutCounter(ctx, store.Counter{Key: id(n), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error { _, err := tx.Counter(ctx, id(n)); return err },
	},
	"browser": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{1}, ClientID: id(n), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error {
			_, err := tx.Browser(ctx, store.Hash{1}, id(n))
			return err
		},
	},
	"mail": {
		func(ctx context.Context, tx store.Tx, n byte, expires time.Time) error {
			return tx.PutOutgoing(ctx, store.Outgoing{ID: id(n), Due: at(int64(n)), Expires: expires})
		},
		func(ctx context.Context, tx store.Tx, n byte) error {
			due, err := tx.DueOutgoing(ctx, at(int64(n)), 100)
			for _, o := range due {
				if o.ID == id(n) {
					return err
				}
			}
			return errors.Join(err, store.ErrNotFound)
		},
	},
}

func id(n byte) string { return fmt.Sprintf("id%d", n) }

// putExpiring puts records 1, 2, 3 ... of each kind, which expire at those times.
func putExpiring(t *testing.T, s store.Store, expires ...time.Time) {
	t.Helper()
	putGrants(t, s, store.Grant{ID: "lasting"})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for kind, k := range expiring {
			for i, e := range expires {
				if err := k.put(ctx, tx, byte(i+1), e); err != nil {
					return fmt.Errorf("%s: %w", kind, err)
				}
			}
		}
		return nil
	})
}

func deleteExpired(t *testing.T, s store.Store, before time.Time, limit int) (n int) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		n, err = tx.DeleteExpired(ctx, before, limit)
		return err
	})
	return n
}

func testDeleteExpired(t *testing.T, s *suite) {
	putExpiring(t, s, at(9), at(10), at(11), time.Time{})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.PutUser(ctx, store.User{ID: "u", Email: "ann@example.com", Created: at(1)})
	})
	if n := deleteExpired(t, s, at(10), 100); n != len(expiring) {
		t.Errorf("DeleteExpired deleted %d records, want one of each of %d kinds", n, len(expiring))
	}
	if n := deleteExpired(t, s, at(10), 100); n != 0 {
		t.Errorf("asked again, DeleteExpired deleted %d records, want 0", n)
	}
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for kind, k := range expiring {
			if err := k.lookup(ctx, tx, 1); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s that expired before: error = %v, want ErrNotFound", kind, err)
			}
			for n, why := range map[byte]string{2: "at that moment", 3: "after it", 4: "never"} {
				if err := k.lookup(ctx, tx, n); err != nil {
					t.Errorf("%s that expires %s: %v", kind, why, err)
				}
			}
		}
		_, err := tx.User(ctx, "u")
		return err
	})
}

func testExpiryLimit(t *testing.T, s *suite) {
	putExpiring(t, s, at(1), at(1), at(1), at(2), at(3))
	for _, step := range []struct{ limit, want int }{
		{0, 0}, {-1, 0}, {2, 2 * len(expiring)}, {2, 2 * len(expiring)}, {2, len(expiring)}, {2, 0},
	} {
		if n := deleteExpired(t, s, at(10), step.limit); n != step.want {
			t.Errorf("DeleteExpired with limit %d deleted %d records, want %d", step.limit, n, step.want)
		}
	}
}

func testExpiryOfGrant(t *testing.T, s *suite) {
	putGrants(t, s, store.Grant{ID: "old", Expires: at(1)}, store.Grant{ID: "older", Expires: at(0)}, store.Grant{ID: "new", Expires: at(50)})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for i, g := range []string{"old", "older", "new"} {
			n := byte(3 * i)
			if err := errors.Join(
				tx.PutToken(ctx, store.Token{Hash: store.Hash{n}, Kind: store.Refresh, GrantID: g}),
				tx.PutToken(ctx, store.Token{Hash: store.Hash{n + 1}, Kind: store.Access, GrantID: g, Expires: at(60)}),
				tx.PutChallenge(ctx, store.Challenge{ID: g, GrantID: g, Expires: at(60)}),
				tx.PutRedemption(ctx, store.Redemption{CodeID: g, GrantID: g, Expires: at(60)}),
				tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{n}, ClientID: "c", GrantID: g, Expires: at(60)}),
			); err != nil {
				return err
			}
		}
		return nil
	})
	wantFamily := func(g string, n byte, there bool) {
		t.Helper()
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			_, grantErr := tx.Grant(ctx, g)
			_, refreshErr := tx.Token(ctx, store.Hash{n})
			_, accessErr := tx.Token(ctx, store.Hash{n + 1})
			_, challengeErr := tx.Challenge(ctx, g)
			for what, err := range map[string]error{"grant": grantErr, "refresh token": refreshErr, "access token": accessErr, "challenge": challengeErr} {
				if errors.Is(err, store.ErrNotFound) == there {
					t.Errorf("%s of grant %s: error = %v, want it there: %v", what, g, err, there)
				}
			}
			_, redemptionErr := tx.Redemption(ctx, g)
			_, browserErr := tx.Browser(ctx, store.Hash{n}, "c")
			return errors.Join(redemptionErr, browserErr) // these have an end of their own
		})
	}
	const family = 4 // a grant, two tokens and a challenge
	if n := deleteExpired(t, s, at(10), 1); n != family {
		t.Errorf("DeleteExpired deleted %d records, want %d", n, family)
	}
	wantFamily("older", 3, false)
	wantFamily("old", 0, true)
	wantFamily("new", 6, true)
	if n := deleteExpired(t, s, at(10), 5); n != family {
		t.Errorf("DeleteExpired deleted %d records, want %d", n, family)
	}
	wantFamily("old", 0, false)
	wantFamily("new", 6, true)
}
