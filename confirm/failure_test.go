package confirm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// K19: what failed without an effect is told so, with the reason, and is done after
// a new preview; the same token tells the same again.
func TestK19WhatHadNoEffectMayBeShownAndDoneAgain(t *testing.T) {
	declined := fmt.Errorf("the card was declined: %w", confirm.ErrNoEffect)
	for _, tool := range []string{"book", "order", "pay", "send"} {
		t.Run(tool, func(t *testing.T) {
			s := newShop(t)
			ann := s.house.SignIn(t, "ann@example.com")
			s.fails(declined)
			s.before = true
			token := shown(t, ann, tool, "tea")
			first := confirms(t, ann, token)
			want(t, "it fails", first, "failed", "Nothing was done: Get tea. The reason: the card was declined: nothing was done. Call the tool again for a new preview")
			if again := confirms(t, ann, token); again.raw != first.raw || !first.isError {
				t.Errorf("again: %s\nfirst: %s", again.raw, first.raw)
			}
			wantEffects(t, s, "after it failed")
			s.fails(nil)
			s.before = false
			want(t, "a failed token", confirms(t, ann, token), "failed", "Nothing was done")
			want(t, "a new one", confirms(t, ann, shown(t, ann, tool, "tea")), "succeeded", "Done: Get tea. tea it is.")
		})
	}
}

// An error after which nobody can say what was done: in a transaction nothing was, a
// key makes it safe to go on, and for the rest it is unknown, and never done again.
func TestAnErrorMeansWhatTheClassCanSay(t *testing.T) {
	for _, test := range []struct {
		tool, status, text string
		effects            int
	}{
		{"book", "failed", "Nothing was done: Get tea. The reason: oops.", 0},
		{"order", "failed", "Nothing was done: Get tea. The reason: oops.", 0},
		{"pay", "in_progress", "It is being done: Get tea. Call confirm_request or operation_status with the same confirmationToken in 10 seconds; it is not done twice.", 1},
		{"send", "unknown", "Nobody can say whether this was done: Get tea. Do not do it again.", 1},
		{"erase", "unknown", "Nobody can say whether this was done: Run erase with {\"what\":\"tea\"}. Do not do it again.", 1},
	} {
		for _, panics := range []bool{false, true} {
			t.Run(fmt.Sprint(test.tool, ", a panic: ", panics), func(t *testing.T) {
				s := newShop(t)
				ann := s.house.SignIn(t, "ann@example.com")
				s.fails(errors.New("oops"))
				s.panics = panics
				text := test.text
				if panics {
					text = strings.Replace(text, ". The reason: oops.", " did not work.", 1)
				}
				token := shown(t, ann, test.tool, "tea")
				want(t, "confirmed", confirms(t, ann, token), test.status, text)
				want(t, "confirmed again", confirms(t, ann, token), test.status, text[:20])
				if got := s.effects(t); len(got) != test.effects {
					t.Errorf("done are %q", got)
				}
			})
		}
	}
}

// K20: after it was done nothing makes it undone: not an answer that is no JSON, and
// not a caller who has left.
func TestK20WhatWasDoneIsNeverToldAsFailed(t *testing.T) {
	s := newShop(t)
	effects := 0
	house := newHouse(t, s, gate.Rules{"odd": gate.SignedIn().Confirmed()}, func(kit *foyer.Kit, server *mcp.Server) {
		confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "odd"}, s.preview,
			confirm.AtMostOnce(func(context.Context, thing) (map[string]any, error) {
				effects++
				return map[string]any{"f": func() {}}, nil
			}))
	})
	ann := house.SignIn(t, "ann@example.com")
	token := shown(t, ann, "odd", "tea")
	first := confirms(t, ann, token)
	want(t, "an answer that is no JSON", first, "succeeded", "Done: Get tea.")
	if again := confirms(t, ann, token); again.raw != first.raw || effects != 1 {
		t.Errorf("again: %s, done %d times", again.raw, effects)
	}
}

// A mute is an answer that breaks down when it is told.
type mute struct{ Done bool }

func (mute) String() string               { panic("fyr_a-secret-in-a-panic") }
func (mute) MarshalJSON() ([]byte, error) { panic("fyr_a-secret-in-a-panic") }

// K20: nor does an answer that breaks down, in any class.
func TestK20AnAnswerThatBreaksDownIsLeftOut(t *testing.T) {
	s := newShop(t)
	effects := 0
	did := func() (mute, error) { effects++; return mute{true}, nil }
	rules := gate.Rules{"once": gate.SignedIn().Confirmed(), "again": gate.SignedIn().Confirmed(), "inside": gate.SignedIn().Confirmed()}
	house := newHouse(t, s, rules, func(kit *foyer.Kit, server *mcp.Server) {
		confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "once"}, s.preview, confirm.AtMostOnce(func(context.Context, thing) (mute, error) { return did() }))
		confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "again"}, s.preview, confirm.Idempotent(func(context.Context, string, thing) (mute, error) { return did() }))
		confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "inside"}, s.preview, confirm.Transactional(func(context.Context, store.SQL, thing) (mute, error) { return did() }))
	})
	ann := house.SignIn(t, "ann@example.com")
	for tool := range rules {
		effects = 0
		token := shown(t, ann, tool, "tea")
		want(t, tool, confirms(t, ann, token), "succeeded", "Done: Get tea.")
		want(t, tool+", again", confirms(t, ann, token), "succeeded", "Done: Get tea.")
		if effects != 1 {
			t.Errorf("%s: done %d times", tool, effects)
		}
	}
}

// What was done is told again to who confirmed it, though a role was taken since;
// what was not begun is decided about again.
func TestWhatWasDoneIsToldAgainThoughARoleWasTaken(t *testing.T) {
	s := newShop(t, func(cfg *foyer.Config) { cfg.Tools["book"] = cfg.Tools["book"].Role("buyer") })
	ann := s.house.SignIn(t, "ann@example.com")
	s.house.SetRoles(t, "ann@example.com", "buyer")
	token, other := shown(t, ann, "book", "tea"), shown(t, ann, "book", "salt")
	want(t, "done", confirms(t, ann, token), "succeeded", "Done: Get tea.")
	s.house.SetRoles(t, "ann@example.com")
	want(t, "told again", confirms(t, ann, token), "succeeded", "Done: Get tea.")
	if r := confirms(t, ann, other); !r.isError || r.status() == "succeeded" {
		t.Errorf("what was not begun: %s", r.raw)
	}
	wantEffects(t, s, "after all", "tea")
}

// T80: where the world changed between the preview and the confirmation nothing is
// done, and the caller is shown what would be done now.
func TestT80AWorldThatChangedIsShownAnew(t *testing.T) {
	for _, tool := range []string{"book", "order", "pay", "send"} {
		t.Run(tool, func(t *testing.T) {
			s := newShop(t)
			ann := s.house.SignIn(t, "ann@example.com")
			s.world = " at noon"
			token := shown(t, ann, tool, "tea")
			s.world = " at one"
			stale := confirms(t, ann, token)
			want(t, "the world is another", stale, "stale", "Nothing was done: it is not what was shown any more. This is what would be done now. What would be done: Get tea at one.")
			wantEffects(t, s, "after the world changed")
			want(t, "the old token", confirms(t, ann, token), "stale", "Nothing was done: this is not what would be done any more: Get tea at noon. Call "+tool+" again")
			if stale.token() == "" || stale.token() == token {
				t.Fatalf("no new token: %s", stale.raw)
			}
			want(t, "the new token", confirms(t, ann, stale.token()), "succeeded", "Done: Get tea at one.")
			if got := s.effects(t); len(got) == 0 || len(got) > 2 {
				t.Errorf("done are %q", got)
			}
		})
	}
}

// T80: a handler that sees in its own transaction that the world is another undoes
// everything, and shows what would be done now.
func TestT80AHandlerMayFindItStale(t *testing.T) {
	s := newShop(t)
	ann := s.house.SignIn(t, "ann@example.com")
	s.fails(fmt.Errorf("that was the last one: %w", confirm.ErrStale))
	token := shown(t, ann, "book", "tea")
	stale := confirms(t, ann, token)
	want(t, "stale", stale, "stale", "This is what would be done now")
	wantEffects(t, s, "after it")
	s.fails(nil)
	want(t, "the new token", confirms(t, ann, stale.token()), "succeeded", "Done")
	wantEffects(t, s, "after all", "tea")
}

// A lost outcome is found out by the application, when somebody asks.
func TestWhatIsUnknownIsFoundOut(t *testing.T) {
	for _, test := range []struct {
		name         string
		done         bool
		err          error
		status, text string
	}{
		{"it was done", true, nil, "succeeded", "Done: Get tea. tea it is."},
		{"it was not", false, nil, "failed", "It turned out that nothing was done: Get tea."},
		{"nobody knows yet", false, errors.New("no line"), "unknown", "Nobody can say"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t)
			s.fails(errors.New("the line went dead"))
			house := newHouse(t, s, gate.Rules{"wire": gate.SignedIn().Confirmed()}, func(kit *foyer.Kit, server *mcp.Server) {
				h := confirm.AtMostOnce(func(ctx context.Context, d thing) (done, error) { return s.outside(ctx, "", d) })
				confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "wire"}, s.preview, h.Reconciled(func(_ context.Context, id string, d thing) (done, bool, error) {
					if id == "" {
						t.Error("asked about nothing")
					}
					return done{d.What}, test.done, test.err
				}))
			})
			ann := house.SignIn(t, "ann@example.com")
			token := shown(t, ann, "wire", "tea")
			want(t, "confirmed", confirms(t, ann, token), test.status, test.text)
			want(t, "asked", call(t, ann, "operation_status", map[string]any{"confirmationToken": token}), test.status, test.text)
			if got := s.effects(t); len(got) != 1 {
				t.Errorf("done are %q", got)
			}
		})
	}
}

// What an application got wrong is told all at once, before anybody is served.
func TestWhatIsWrongWithToolsIsToldAtOnce(t *testing.T) {
	s := newShop(t)
	preview := s.preview
	inside := confirm.Transactional(s.inside)
	rules := gate.Rules{"plain": gate.SignedIn(), "twice": gate.SignedIn().Confirmed(), "over": gate.SignedIn().Confirmed(), "under": gate.SignedIn().Confirmed(),
		"list": gate.SignedIn().Confirmed(), "shaped": gate.SignedIn().Confirmed(), "empty": gate.SignedIn().Confirmed(), "confirm_request": gate.SignedIn()}
	if _, err := foyer.New(s.config(rules)); err == nil || !strings.Contains(err.Error(), "confirm_request is a tool of the kit's own") {
		t.Errorf("a reserved name: %v", err)
	}
	delete(rules, "confirm_request")
	kit, err := foyer.New(s.config(rules))
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	raw := func(context.Context, *mcp.CallToolRequest, thing) (*mcp.CallToolResult, done, error) {
		return nil, done{}, nil
	}
	ops := kit.Operations()
	confirm.AddTool(ops, server, &mcp.Tool{Name: "plain"}, preview, inside)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "twice"}, preview, inside)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "twice"}, preview, inside)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "over"}, preview, inside)
	mcp.AddTool(server, &mcp.Tool{Name: "over"}, raw)
	mcp.AddTool(server, &mcp.Tool{Name: "under"}, raw)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "under"}, preview, inside)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "list"}, func(context.Context, []string) (confirm.Preview[thing], error) { return confirm.Preview[thing]{}, nil }, inside)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "shaped", OutputSchema: answerless}, preview, inside)
	confirm.AddTool(ops, server, &mcp.Tool{Name: "empty"}, preview, confirm.Handler[thing, done]{})
	_, err = kit.Handler(server)
	for _, problem := range []string{
		`tool "plain": it shows what it would do, and its rule lets it run at once; add .Confirmed() to the rule`,
		`tool "twice" is there already, and would be replaced`,
		`tool "over" was added a second time, by mcp.AddTool, and would run at once`,
		`tool "under" is there already, and would be replaced`,
		`tool "list": its input is a []string, and must be a struct or a map`,
		`tool "shaped": it has an output schema`,
		`tool "empty": its handler is empty`,
	} {
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("not told: %s\n%v", problem, err)
		}
	}
}

// A class that the store cannot keep is refused at the start.
func TestAClassThatTheStoreCannotKeepIsRefused(t *testing.T) {
	s := newShop(t)
	cfg := s.config(gate.Rules{"book": gate.SignedIn().Confirmed(), "pay": gate.SignedIn().Confirmed()})
	cfg.Store = struct{ store.Store }{s.db} // which shares no transactions
	kit, err := foyer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "book"}, s.preview, confirm.Transactional(s.inside))
	confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "pay"}, s.preview, confirm.Idempotent(s.outside))
	_, err = kit.Handler(server)
	if err == nil || !strings.Contains(err.Error(), `tool "book": its handler shares the store's transaction, which this store cannot`) || strings.Contains(err.Error(), "pay") {
		t.Errorf("told: %v", err)
	}
}

// A preview that is none is the developer's to mend; what it refuses is the model's.
func TestAPreviewMayRefuse(t *testing.T) {
	s := newShop(t)
	ann := s.house.SignIn(t, "ann@example.com")
	want(t, "a refusal", call(t, ann, "book", thing{"nothing"}), "refused", "There is no such thing. Call look first.")
	want(t, "no summary", call(t, ann, "book", thing{strings.Repeat("x", 3000)}), "refused", "The server failed, and nothing was done.")
	res := call(t, ann, "book", map[string]any{"what": 7})
	if !res.isError || res.token() != "" {
		t.Errorf("arguments that do not fit: %s", res.raw)
	}
	for _, text := range []string{"tea\u202egnp.exe", "tea\x1b[2J", "tea\nsugar"} {
		r := call(t, ann, "book", thing{text})
		summary, _ := r.data["summary"].(string)
		if strings.ContainsFunc(summary, func(r rune) bool { return slices.Contains([]rune{'\u202e', '\x1b', '\n'}, r) }) {
			t.Errorf("the summary %q", summary)
		}
	}
	wantEffects(t, s, "after all")
}
