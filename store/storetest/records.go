package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"example.com/foyer/store"
)

var recordTests = []test{
	{"a client comes back as it was put", roundTrip(store.Tx.PutClient,
		func(c store.Client) store.Client { return store.Client{ID: c.ID} },
		func(ctx context.Context, tx store.Tx, c store.Client) (store.Client, error) {
			return tx.Client(ctx, c.ID)
		},
		func(ctx context.Context, tx store.Tx, c store.Client) (store.Client, error) {
			return tx.ClientByDigest(ctx, c.Digest)
		})},
	{"a user comes back as it was put", roundTrip(store.Tx.PutUser,
		func(u store.User) store.User { return store.User{ID: u.ID} },
		func(ctx context.Context, tx store.Tx, u store.User) (store.User, error) { return tx.User(ctx, u.ID) },
		func(ctx context.Context, tx store.Tx, u store.User) (store.User, error) {
			return tx.UserByEmail(ctx, u.Email)
		})},
	{"a grant comes back as it was put", roundTrip(store.Tx.PutGrant,
		func(g store.Grant) store.Grant { return store.Grant{ID: g.ID} },
		func(ctx context.Context, tx store.Tx, g store.Grant) (store.Grant, error) { return tx.Grant(ctx, g.ID) })},
	{"the grants of a user are found, the newest first", testGrantsOfUser},
	{"the users of a browser are found, each once", testUsersOfBrowser},
	{"a token comes back as it was put", roundTrip(store.Tx.PutToken,
		func(k store.Token) store.Token { return store.Token{Hash: k.Hash, GrantID: k.GrantID} },
		func(ctx context.Context, tx store.Tx, k store.Token) (store.Token, error) {
			return tx.Token(ctx, k.Hash)
		},
		func(ctx context.Context, tx store.Tx, k store.Token) (store.Token, error) {
			return tx.TokenOf(ctx, k.GrantID, k.Kind, k.Generation)
		})},
	{"a redemption comes back as it was put", roundTrip(store.Tx.PutRedemption,
		func(r store.Redemption) store.Redemption { return store.Redemption{CodeID: r.CodeID} },
		func(ctx context.Context, tx store.Tx, r store.Redemption) (store.Redemption, error) {
			return tx.Redemption(ctx, r.CodeID)
		})},
	{"a challenge comes back as it was put", roundTrip(store.Tx.PutChallenge,
		func(c store.Challenge) store.Challenge { return store.Challenge{ID: c.ID, GrantID: c.GrantID} },
		func(ctx context.Context, tx store.Tx, c store.Challenge) (store.Challenge, error) {
			return tx.Challenge(ctx, c.ID)
		},
		func(ctx context.Context, tx store.Tx, c store.Challenge) (store.Challenge, error) {
			return tx.LatestChallenge(ctx, c.GrantID)
		})},
	{"a counter comes back as it was put", roundTrip(store.Tx.PutCounter,
		func(c store.Counter) store.Counter { return store.Counter{Key: c.Key} },
		func(ctx context.Context, tx store.Tx, c store.Counter) (store.Counter, error) {
			return tx.Counter(ctx, c.Key)
		})},
	{"a browser comes back as it was put", roundTrip(store.Tx.PutBrowser,
		func(b store.Browser) store.Browser { return store.Browser{Hash: b.Hash, ClientID: b.ClientID} },
		func(ctx context.Context, tx store.Tx, b store.Browser) (store.Browser, error) {
			return tx.Browser(ctx, b.Hash, b.ClientID)
		})},
	{"a mail comes back as it was put", roundTrip(store.Tx.PutOutgoing,
		func(o store.Outgoing) store.Outgoing { return store.Outgoing{ID: o.ID} },
		func(ctx context.Context, tx store.Tx, o store.Outgoing) (store.Outgoing, error) {
			due, err := tx.DueOutgoing(ctx, o.Due, 10)
			if len(due) != 1 {
				return store.Outgoing{}, fmt.Errorf("%d mails are due, want 1: %w", len(due), err)
			}
			return due[0], err
		})},
	{"a session comes back as it was put, until it is deleted", func(t *testing.T, s *suite) {
		roundTrip(store.Tx.PutSession,
			func(s store.Session) store.Session { return store.Session{Hash: s.Hash} },
			func(ctx context.Context, tx store.Tx, s store.Session) (store.Session, error) {
				return tx.Session(ctx, s.Hash)
			})(t, s)
		h := store.Hash{7}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			return tx.PutSession(ctx, store.Session{Hash: h, Challenge: "c"})
		})
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			found, err := tx.SessionByChallenge(ctx, "c")
			if found.Hash != h {
				t.Errorf("by its challenge: %+v", found)
			}
			if _, err := tx.SessionByChallenge(ctx, ""); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("by none: %v", err)
			}
			return err
		})
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.DeleteSession(ctx, h) })
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Session(ctx, h); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deleted: %v", err)
			}
			return nil
		})
	}},
	{"an operation comes back as it was put", roundTrip(store.Tx.PutOperation,
		func(o store.Operation) store.Operation { return store.Operation{ID: o.ID} },
		func(ctx context.Context, tx store.Tx, o store.Operation) (store.Operation, error) {
			return tx.Operation(ctx, o.ID)
		},
		func(ctx context.Context, tx store.Tx, o store.Operation) (store.Operation, error) {
			all, err := tx.OperationsOfGrant(ctx, o.GrantID, time.Time{}, 10)
			if len(all) != 1 {
				return store.Operation{}, fmt.Errorf("%d operations of the grant, want 1: %w", len(all), err)
			}
			if a := all[0]; len(a.Arguments)+len(a.Data)+len(a.Result) > 0 {
				return store.Operation{}, errors.New("a list of operations has what may be large")
			}
			all[0].Arguments, all[0].Data, all[0].Result = o.Arguments, o.Data, o.Result
			return all[0], err
		})},
	{"a chain comes back as it was put", roundTrip(store.Tx.PutChain,
		func(c store.Chain) store.Chain { return store.Chain{ID: c.ID} },
		func(ctx context.Context, tx store.Tx, c store.Chain) (store.Chain, error) { return tx.Chain(ctx, c.ID) })},
	{"a sealed event comes back as it was put", roundTrip(store.Tx.PutEvent,
		func(e store.Event) store.Event { return store.Event{ID: e.ID, Place: e.Place} },
		func(ctx context.Context, tx store.Tx, e store.Event) (store.Event, error) {
			found, err := tx.SealedEvents(ctx, e.Place-1, 10)
			return only(found), err
		})},
	{"an event that is not sealed comes back as it was put", roundTrip(func(tx store.Tx, ctx context.Context, e store.Event) error {
		e.Place = 0
		return tx.PutEvent(ctx, e)
	}, func(e store.Event) store.Event { return store.Event{ID: e.ID} },
		func(ctx context.Context, tx store.Tx, e store.Event) (store.Event, error) {
			found, err := tx.UnsealedEvents(ctx, 10)
			got := only(found)
			got.Place = e.Place
			return got, err
		})},
	{"times keep their instant to the microsecond", testInstants},
}

// roundTrip puts a record with every field set, and one of the same key with
// every other field zero, each over the other, and expects every look-up to
// find what was put last.
func roundTrip[R any](
	put func(store.Tx, context.Context, R) error,
	key func(R) R,
	lookups ...func(context.Context, store.Tx, R) (R, error),
) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		var full R
		fill(reflect.ValueOf(&full).Elem())
		if owner := reflect.ValueOf(full).FieldByName("GrantID"); owner.IsValid() {
			putGrants(t, s, store.Grant{ID: owner.String()}) // a token needs its grant
		}
		for _, want := range []R{full, key(full), full} {
			update(t, s, func(ctx context.Context, tx store.Tx) error {
				if err := put(tx, ctx, want); err != nil {
					return err
				}
				return wantLookups(ctx, t, tx, want, lookups)
			})
			view(t, s, func(ctx context.Context, tx store.Tx) error {
				return wantLookups(ctx, t, tx, want, lookups)
			})
		}
	}
}

func wantLookups[R any](ctx context.Context, t *testing.T, tx store.Tx, want R, lookups []func(context.Context, store.Tx, R) (R, error)) error {
	for i, lookup := range lookups {
		got, err := lookup(ctx, tx, want)
		if err != nil {
			return fmt.Errorf("look-up %d of %T: %w", i+1, want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("look-up %d\nfound %+v\nwant  %+v", i+1, got, want)
		}
	}
	return nil
}

// fill sets every field of a record, each to a value of its own.
func fill(record reflect.Value) {
	for i := range record.NumField() {
		name := record.Type().Field(i).Name
		switch field := record.Field(i).Addr().Interface().(type) {
		case *string:
			*field = name + " with 'quotes', ünïcode and a\nline"
		case *int:
			*field = 1<<40 + i
		case *[]byte:
			*field = []byte("{\"a\":\"\xff\x00 'b'\"}\n")
		case *bool:
			*field = true
		case *time.Time:
			*field = at(int64(i))
		case *[]string:
			*field = []string{name + ":a", "https://" + name + ".example/?b=c&d=%20#e", "ü"}
		case *[]time.Time:
			*field = []time.Time{at(3), at(1), at(1), at(2_000_000_000)}
		case *[]store.Elevation:
			*field = []store.Elevation{{Scope: "a:b", Until: at(1), Reason: "for\n'a' while", By: "bob\x1f"}, {Role: "admin", Until: at(2)}}
		case *store.Hash:
			for j := range field {
				field[j] = byte(i + j)
			}
		default:
			panic(fmt.Sprintf("storetest: field %s has type %T, which fill does not know", name, field))
		}
	}
}

func testInstants(t *testing.T, s *suite) {
	elsewhere := time.Date(2031, 2, 3, 4, 5, 6, 7_999, time.FixedZone("", 3600)) // 7.999 µs
	want := time.Date(2031, 2, 3, 3, 5, 6, 7_000, time.UTC)
	putGrants(t, s, store.Grant{ID: "g", Created: elsewhere, AuthTime: elsewhere.Local(), Expires: time.UnixMicro(1)})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.PutCounter(ctx, store.Counter{Key: "c", Events: []time.Time{elsewhere, {}, elsewhere.Local()}})
	})
	g := grant(t, s, "g")
	for name, got := range map[string]time.Time{"Created": g.Created, "AuthTime": g.AuthTime} {
		if got != want {
			t.Errorf("%s = %v, want %v, in UTC", name, got, want)
		}
	}
	if want := time.UnixMicro(1).UTC(); g.Expires != want {
		t.Errorf("Expires = %v, want %v", g.Expires, want)
	}
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		c, err := tx.Counter(ctx, "c")
		if events := []time.Time{want, {}, want}; !reflect.DeepEqual(c.Events, events) {
			t.Errorf("Events = %v, want %v", c.Events, events)
		}
		return err
	})
}
