package confirm_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/confirm"
	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// bookshop serves one tool, book, with a preview and a handler of the test's.
func bookshop(t *testing.T, preview func(context.Context, thing) (confirm.Preview[thing], error), book func(context.Context, store.SQL, thing) (done, error)) *foyertest.House {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "books.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return foyertest.New(t, foyer.Config{Store: db, Tools: gate.Rules{"book": gate.SignedIn().Confirmed()}}, func(kit *foyer.Kit) *mcp.Server {
		server := mcp.NewServer(&mcp.Implementation{Name: "books", Version: "1"}, nil)
		confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "book"}, preview, confirm.Transactional(book))
		return server
	})
}

func booked(_ context.Context, _ store.SQL, what thing) (done, error) { return done{what.What}, nil }

// What was shown and cannot be done any more is stale, in the words of the
// preview that refuses it now: whether that is seen before the handler runs, or by it.
func TestWhatIsRefusedByNowIsStale(t *testing.T) {
	for name, world := range map[string]string{"before the handler runs": "free", "by the handler": ""} {
		t.Run(name, func(t *testing.T) {
			var gone atomic.Bool
			house := bookshop(t, func(_ context.Context, in thing) (confirm.Preview[thing], error) {
				if gone.Load() {
					return confirm.Preview[thing]{}, errors.New("Somebody else has it. Call look to see others.")
				}
				return confirm.Preview[thing]{Summary: "Get " + in.What, Data: in, World: world}, nil
			}, func(_ context.Context, _ store.SQL, what thing) (done, error) {
				if gone.Load() {
					return done{}, confirm.ErrStale
				}
				return done{what.What}, nil
			})
			ann := house.SignIn(t, "ann@example.com")
			token := shown(t, ann, "book", "tea")
			gone.Store(true)
			r := confirms(t, ann, token)
			want(t, "it is gone", r, "stale", "Nothing was done: this cannot be done now: Get tea. Somebody else has it. Call look to see others.")
			if !r.isError || r.token() != "" {
				t.Errorf("it is gone: %s", r.raw)
			}
			gone.Store(false)
			want(t, "the old token, when it is there again", confirms(t, ann, token), "stale", "Call book again for a new preview")
			want(t, "a new one", confirms(t, ann, shown(t, ann, "book", "tea")), "succeeded", "Done: Get tea.")
		})
	}
}

// A preview that breaks down says nothing about the world: what was shown can still
// be confirmed.
func TestAPreviewThatBreaksDownEndsNothing(t *testing.T) {
	var broken atomic.Bool
	house := bookshop(t, func(_ context.Context, in thing) (confirm.Preview[thing], error) {
		if broken.Load() {
			panic("out of order")
		}
		return confirm.Preview[thing]{Summary: "Get " + in.What, Data: in, World: "free"}, nil
	}, booked)
	ann := house.SignIn(t, "ann@example.com")
	token := shown(t, ann, "book", "tea")
	broken.Store(true)
	want(t, "broken", confirms(t, ann, token), "refused", "The server failed, and nothing was done.")
	broken.Store(false)
	want(t, "mended", confirms(t, ann, token), "succeeded", "Done: Get tea.")
}

// K18: two confirmations at once tell the same, also where the slower one looks at a
// world that the faster one has changed.
func TestK18WhatAnotherConfirmationHasDoneIsToldAsDone(t *testing.T) {
	for name, now := range map[string]error{"the world is another": nil, "and is refused": errors.New("You have it already.")} {
		t.Run(name, func(t *testing.T) {
			var looks atomic.Int32
			var faster func()
			house := bookshop(t, func(_ context.Context, in thing) (confirm.Preview[thing], error) {
				p := confirm.Preview[thing]{Summary: "Get " + in.What, Data: in, World: "free"}
				if looks.Add(1) != 2 { // the first call, and the faster confirmation
					return p, nil
				}
				faster()
				p.World = "taken"
				return p, now
			}, booked)
			ann := house.SignIn(t, "ann@example.com")
			token := shown(t, ann, "book", "tea")
			var first reply
			faster = func() { first = confirms(t, ann, token) }
			slower := confirms(t, ann, token)
			want(t, "the faster", first, "succeeded", "Done: Get tea.")
			if slower.raw != first.raw {
				t.Errorf("the slower: %s\nthe faster: %s", slower.raw, first.raw)
			}
		})
	}
}

// T80, T86: while a user reads the question minutes pass: what the tool looks at, the
// roles of the user and the policy are asked again after the yes, in every version.
func TestT80T86WhatChangesWhileTheUserReadsCounts(t *testing.T) {
	for _, version := range asking {
		for name, change := range map[string]func(t *testing.T, s *shop, down *bool){
			"the world":  func(_ *testing.T, s *shop, _ *bool) { s.looksAt(" at one") },
			"the roles":  func(t *testing.T, s *shop, _ *bool) { s.house.SetRoles(t, "ann@example.com") },
			"the policy": func(_ *testing.T, _ *shop, down *bool) { *down = true },
		} {
			t.Run(version+", "+name, func(t *testing.T) {
				var down bool
				s := newShop(t, byClient, func(cfg *foyer.Config) {
					cfg.Tools["send"] = cfg.Tools["send"].Role("buyer")
					cfg.Decider = deciderFunc(func(gate.Request) (gate.Decision, error) {
						if down {
							return gate.Decision{Outcome: gate.Deny}, nil
						}
						return gate.Decision{Outcome: gate.Allow}, nil
					})
				})
				s.looksAt(" at noon")
				p := &person{answer: func(string) *mcp.ElicitResult {
					change(t, s, &down)
					return accept(true)
				}}
				ann := s.session(t, version, p)
				s.house.SetRoles(t, "ann@example.com", "buyer")
				r := confirms(t, ann, shown(t, ann, "send", "tea"))
				if r.status() == "succeeded" || len(p.asked) != 1 {
					t.Errorf("asked %d times: %s", len(p.asked), r.raw)
				}
				wantEffects(t, s, "after it")
			})
		}
	}
}
