package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"example.com/foyer/store"
)

var lookupTests = []test{
	{"a bearer is token, grant and user as they were put", testBearer},
	{"a bearer's fields stay apart whatever letters they hold", testBearerOfAnyLetters},
	{"a token is found by its place in the family", testFamily},
	{"the latest challenge is the newest of its grant", testLatestChallenge},
	{"operations are found by grant, by key and when they are due", testOperations},
	{"a missing record is ErrNotFound", testNotFound},
	{"clients that were never used are trimmed, those that expire first before others", testTrimUnusedClients},
	{"two clients cannot share a digest", refusesSecond(
		func(ctx context.Context, tx store.Tx, id string) error {
			return tx.PutClient(ctx, store.Client{ID: id, Digest: store.Hash{1}})
		},
		func(ctx context.Context, tx store.Tx) (string, error) {
			c, err := tx.ClientByDigest(ctx, store.Hash{1})
			return c.ID, err
		})},
	{"two users cannot share an address", refusesSecond(
		func(ctx context.Context, tx store.Tx, id string) error {
			return tx.PutUser(ctx, store.User{ID: id, Email: "ann@example.com"})
		},
		func(ctx context.Context, tx store.Tx) (string, error) {
			u, err := tx.UserByEmail(ctx, "ann@example.com")
			return u.ID, err
		})},
	{"two tokens cannot share a place in the family", refusesSecond(
		func(ctx context.Context, tx store.Tx, id string) error {
			return errors.Join(tx.PutGrant(ctx, store.Grant{ID: "g"}),
				tx.PutToken(ctx, store.Token{Hash: store.Hash{id[0]}, Kind: store.Refresh, GrantID: "g", Generation: 1}))
		},
		func(ctx context.Context, tx store.Tx) (string, error) {
			k, err := tx.TokenOf(ctx, "g", store.Refresh, 1)
			return string(k.Hash[0]), err
		})},
}

func testOperations(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		var errs []error
		for i, o := range []store.Operation{
			{ID: "a", GrantID: "g", Key: "k"}, {ID: "b", GrantID: "g", Due: at(30)}, {ID: "c", GrantID: "h", Key: "k", Due: at(10)},
			{ID: "d", GrantID: "g", Key: "k", Due: at(20)}, {ID: "e", GrantID: "g"},
		} {
			o.Created = at(int64(100 + i))
			errs = append(errs, tx.PutOperation(ctx, o))
		}
		return errors.Join(errs...)
	})
	ids := func(all []store.Operation, err error) string {
		text := ""
		for _, o := range all {
			text += o.ID
		}
		if err != nil {
			t.Error(err)
		}
		return text
	}
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		byKey, err := tx.OperationByKey(ctx, "g", "k")
		for want, got := range map[string]string{
			"edba": ids(tx.OperationsOfGrant(ctx, "g", time.Time{}, 10)),
			"ed":   ids(tx.OperationsOfGrant(ctx, "g", time.Time{}, 2)),
			"e":    ids(tx.OperationsOfGrant(ctx, "g", at(104), 10)),
			"":     ids(tx.OperationsOfGrant(ctx, "x", time.Time{}, 2)),
			"c":    ids(tx.OperationsDue(ctx, at(19), 10)),
			"cdb":  ids(tx.OperationsDue(ctx, at(30), 10)),
			"cd":   ids(tx.OperationsDue(ctx, at(99), 2)),
			"d":    ids([]store.Operation{byKey}, err),
		} {
			if got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		}
		if _, err := tx.OperationByKey(ctx, "g", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("by no key: %v", err)
		}
		return nil
	})
}

func testTrimUnusedClients(t *testing.T, s *suite) {
	put := func(id string, expires int64, used time.Time) {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return tx.PutClient(ctx, store.Client{ID: id, Digest: store.Hash{id[0]}, Expires: at(expires), LastUsed: used})
		})
	}
	for id, expires := range map[string]int64{"a": 30, "b": 10, "c": 20, "d": 20, "e": 40} {
		put(id, expires, time.Time{})
	}
	put("used", 1, at(1))
	for _, step := range []struct {
		keep, left int
		want       string // who is there
	}{
		{6, 5, "abcdeu"}, {5, 5, "abcdeu"}, {4, 4, "acdeu"}, {3, 3, "adeu"}, {1, 1, "eu"}, {1, 1, "eu"}, {0, 0, "u"}, {-1, 0, "u"},
	} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			left, err := tx.TrimUnusedClients(ctx, step.keep)
			if left != step.left {
				t.Errorf("keep %d: %d are left, want %d", step.keep, left, step.left)
			}
			return err
		})
		there := ""
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			for _, id := range []string{"a", "b", "c", "d", "e", "used"} {
				if _, err := tx.Client(ctx, id); err == nil {
					there += id[:1]
				}
			}
			return nil
		})
		if there != step.want {
			t.Errorf("keep %d: there are %q, want %q", step.keep, there, step.want)
		}
	}
}

func testBearer(t *testing.T, s *suite) {
	var want store.Bearer
	for _, record := range []any{&want.Token, &want.Grant, &want.User} {
		fill(reflect.ValueOf(record).Elem())
	}
	want.Token.GrantID, want.Grant.UserID = want.Grant.ID, want.User.ID
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		unclaimed := want.Grant
		unclaimed.UserID = ""
		return errors.Join(tx.PutGrant(ctx, unclaimed), tx.PutToken(ctx, want.Token))
	})
	if got, err := s.Bearer(t.Context(), want.Token.Hash); err != nil || !reflect.DeepEqual(got.User, store.User{}) || !reflect.DeepEqual(got.Token, want.Token) {
		t.Errorf("Bearer of an unclaimed grant = %+v, %v; want the token and the zero User", got, err)
	}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(tx.PutUser(ctx, want.User), tx.PutGrant(ctx, want.Grant))
	})
	if got, err := s.Bearer(t.Context(), want.Token.Hash); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Bearer, %v\nfound %+v\nwant  %+v", err, got, want)
	}
	if got, err := s.Bearer(t.Context(), store.Hash{}); !errors.Is(err, store.ErrNotFound) || !reflect.DeepEqual(got, store.Bearer{}) {
		t.Errorf("Bearer of an unknown hash = %+v, %v; want ErrNotFound", got, err)
	}
}

// A store may read a bearer in a way of its own, but what a client wrote into one
// field must not be read as another's.
func testBearerOfAnyLetters(t *testing.T, s *suite) {
	for _, letters := range []string{"\x1f", "\x1f\x1f\x1f", "host\x1fresource\x1fguest\x1fsomebody-else", "\x1e\x1d\x1c", "|,;\t\n\"'\\%_", "\u2028\ufffd", ""} {
		want := store.Bearer{
			Token: store.Token{Hash: store.Hash{0x1f, 0x1f}, Kind: store.Access, GrantID: "g" + letters, Epoch: -1, Scopes: []string{letters + "y", "z"}},
			Grant: store.Grant{ID: "g" + letters, RedirectHost: letters, Resource: letters, GuestID: letters, UserID: "u" + letters,
				Scopes: []string{"x" + letters}, Epoch: 1 << 40, Elevations: []store.Elevation{{Scope: letters, Reason: "x" + letters, Until: at(1)}}},
			User: store.User{ID: "u" + letters, Email: "ann@example.com" + letters, Roles: []string{letters + "r"}},
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return errors.Join(tx.PutUser(ctx, want.User), tx.PutGrant(ctx, want.Grant), tx.PutToken(ctx, want.Token))
		})
		if got, err := s.Bearer(t.Context(), want.Token.Hash); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Bearer of fields with %q, %v\nfound %+v\nwant  %+v", letters, err, got, want)
		}
	}
}

func testFamily(t *testing.T, s *suite) {
	putGrants(t, s, store.Grant{ID: "g1"}, store.Grant{ID: "g2"})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return errors.Join(
			tx.PutToken(ctx, store.Token{Hash: store.Hash{1}, Kind: store.Refresh, GrantID: "g1", Generation: 1}),
			tx.PutToken(ctx, store.Token{Hash: store.Hash{2}, Kind: store.Refresh, GrantID: "g1", Generation: 2}),
			tx.PutToken(ctx, store.Token{Hash: store.Hash{3}, Kind: store.Access, GrantID: "g1", Generation: 2}),
			tx.PutToken(ctx, store.Token{Hash: store.Hash{4}, Kind: store.Refresh, GrantID: "g2", Generation: 2}))
	})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		if got, err := tx.TokenOf(ctx, "g1", store.Refresh, 2); err != nil || got.Hash != (store.Hash{2}) {
			t.Errorf("TokenOf(g1, refresh, 2) = %+v, %v; want hash 2", got, err)
		}
		if got, err := tx.TokenOf(ctx, "g1", store.Access, 2); err != nil || got.Hash != (store.Hash{3}) {
			t.Errorf("TokenOf(g1, access, 2) = %+v, %v; want hash 3", got, err)
		}
		if _, err := tx.TokenOf(ctx, "g1", store.Refresh, 3); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("TokenOf(g1, refresh, 3) error = %v, want ErrNotFound", err)
		}
		return nil
	})
}

func testLatestChallenge(t *testing.T, s *suite) {
	putGrants(t, s, store.Grant{ID: "g1"}, store.Grant{ID: "g2"})
	for _, step := range []struct {
		put  store.Challenge
		want string
		why  string
	}{
		{store.Challenge{ID: "b", GrantID: "g1", Created: at(1)}, "b", "the only one"},
		{store.Challenge{ID: "a", GrantID: "g1", Created: at(2)}, "a", "created later"},
		{store.Challenge{ID: "c", GrantID: "g1", Created: at(0)}, "c", "put later, though a clock that was set back says earlier"},
		{store.Challenge{ID: "0", GrantID: "g1", Created: at(2)}, "0", "of one instant, put later"},
		{store.Challenge{ID: "a", GrantID: "g1", Created: at(2), Attempts: 1}, "0", "put again, so no newer than before"},
		{store.Challenge{ID: "d", GrantID: "g2", Created: at(9)}, "0", "of another grant"},
	} {
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			if err := tx.PutChallenge(ctx, step.put); err != nil {
				return err
			}
			got, err := tx.LatestChallenge(ctx, "g1")
			if got.ID != step.want {
				t.Errorf("after %s (%s) the latest is %q, want %q", step.put.ID, step.why, got.ID, step.want)
			}
			return err
		})
	}
}

func testNotFound(t *testing.T, s *suite) {
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for name, lookup := range map[string]func() error{
			"Client":          func() error { _, err := tx.Client(ctx, "x"); return err },
			"ClientByDigest":  func() error { _, err := tx.ClientByDigest(ctx, store.Hash{}); return err },
			"User":            func() error { _, err := tx.User(ctx, "x"); return err },
			"UserByEmail":     func() error { _, err := tx.UserByEmail(ctx, "x"); return err },
			"Grant":           func() error { _, err := tx.Grant(ctx, "x"); return err },
			"Token":           func() error { _, err := tx.Token(ctx, store.Hash{}); return err },
			"TokenOf":         func() error { _, err := tx.TokenOf(ctx, "x", store.Access, 0); return err },
			"Redemption":      func() error { _, err := tx.Redemption(ctx, "x"); return err },
			"Challenge":       func() error { _, err := tx.Challenge(ctx, "x"); return err },
			"LatestChallenge": func() error { _, err := tx.LatestChallenge(ctx, "x"); return err },
			"Counter":         func() error { _, err := tx.Counter(ctx, "x"); return err },
			"Browser":         func() error { _, err := tx.Browser(ctx, store.Hash{}, "x"); return err },
			"Deletion":        func() error { _, err := tx.Deletion(ctx, "x"); return err },
			"NextDue":         func() error { _, err := tx.NextDue(ctx); return err },
		} {
			if err := lookup(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s error = %v, want ErrNotFound", name, err)
			}
		}
		if due, err := tx.DueOutgoing(ctx, time.Now(), 10); err != nil || len(due) != 0 {
			t.Errorf("DueOutgoing of an empty queue = %v, %v; want none", due, err)
		}
		return nil
	})
}

// refusesSecond puts two records that must not both exist.
func refusesSecond(
	put func(ctx context.Context, tx store.Tx, id string) error,
	holder func(ctx context.Context, tx store.Tx) (string, error),
) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		update(t, s, func(ctx context.Context, tx store.Tx) error { return put(ctx, tx, "1") })
		update(t, s, func(ctx context.Context, tx store.Tx) error { return put(ctx, tx, "1") }) // replaces itself
		err := s.Update(t.Context(), func(tx store.Tx) error { return put(t.Context(), tx, "2") })
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("putting the second: error = %v, want one that says so", err)
		}
		ignored := s.Update(t.Context(), func(tx store.Tx) error {
			put(t.Context(), tx, "2")
			return tx.PutGrant(t.Context(), store.Grant{ID: "beside it"})
		})
		if ignored == nil {
			t.Error("an Update whose Put failed was committed")
		}
		wantGrants(t, s, map[string]bool{"beside it": false})
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			id, err := holder(ctx, tx)
			if id != "1" {
				t.Errorf("the holder is %q, want the first", id)
			}
			return err
		})
	}
}

func testUsersOfBrowser(t *testing.T, s *suite) {
	h, other := store.Hash{1}, store.Hash{2}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		var err error
		for id, known := range map[string]string{"a": "u2", "b": "u1", "c": "u2", "d": "", "e": "u3", "f": "u4"} {
			err = errors.Join(err, tx.PutGrant(ctx, store.Grant{ID: id, KnownUserID: known}))
		}
		for _, b := range []store.Browser{{Hash: h, GrantID: "a"}, {Hash: h, GrantID: "b"}, {Hash: h, GrantID: "c"}, {Hash: h, GrantID: "d"}, {Hash: h, GrantID: "gone"}, {Hash: other, GrantID: "e"}, {Hash: h, GrantID: "f"}} {
			b.ClientID, b.Expires = "client of "+b.GrantID, at(10)
			if b.GrantID == "f" {
				b.Expires = at(5)
			}
			err = errors.Join(err, tx.PutBrowser(ctx, b))
		}
		return err
	})
	for _, test := range []struct {
		name  string
		h     store.Hash
		then  int64
		limit int
		want  []string
	}{
		{"each once, and none for a guest's grant, or one that is gone", h, 5, 10, []string{"u1", "u2"}},
		{"before the end of one", h, 4, 10, []string{"u1", "u2", "u4"}},
		{"at most so many", h, 5, 1, []string{"u1"}},
		{"none", h, 5, 0, nil},
		{"another browser", other, 5, 10, []string{"u3"}},
		{"no browser", store.Hash{}, 5, 10, nil},
		{"after the end", h, 10, 10, nil},
	} {
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			got, err := tx.UsersOfBrowser(ctx, test.h, at(test.then), test.limit)
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
			return err
		})
	}
}

func testGrantsOfUser(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		var err error
		for i, g := range []store.Grant{{ID: "a", UserID: "u1"}, {ID: "b", UserID: "u2"}, {ID: "c", UserID: "u1", RevokedAt: at(9)}, {ID: "d"}} {
			g.Created = at(int64(i))
			err = errors.Join(err, tx.PutGrant(ctx, g))
		}
		return err
	})
	for user, want := range map[string][]string{"u1": {"c", "a"}, "u2": {"b"}, "u3": nil, "": nil} {
		var ids []string
		err := s.View(t.Context(), func(tx store.Tx) error {
			all, err := tx.GrantsOfUser(t.Context(), user)
			ids = nil
			for _, g := range all {
				ids = append(ids, g.ID)
			}
			return err
		})
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("the grants of %q are %v, %v; want %v", user, ids, err, want)
		}
	}
}
