package confirm_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
)

// Versions of the protocol in which a client can ask its user: with MRTR, and with
// elicitation/create.
var asking = []string{"2026-07-28", "2025-11-25", "2025-06-18"}

// A person answers the questions of a client.
type person struct {
	mu     sync.Mutex
	answer func(question string) *mcp.ElicitResult
	asked  []string
}

func (p *person) answers(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, req.Params.Message)
	return p.answer(req.Params.Message), nil
}

func accept(value any) *mcp.ElicitResult {
	return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": value}}
}

// session is ann's client of a version, which asks p; nil for a client that cannot.
func (s *shop) session(t *testing.T, version string, p *person) *mcp.ClientSession {
	t.Helper()
	c := s.house.Client(t)
	c.Version = version
	if p != nil {
		c.Options = &mcp.ClientOptions{ElicitationHandler: p.answers}
	}
	session := c.Connect(t)
	s.house.Claim(t, session, "ann@example.com")
	return session
}

func byClient(cfg *foyer.Config) {
	for name, rule := range cfg.Tools {
		if rule.Confirms() > gate.NotConfirmed {
			cfg.Tools[name] = rule.ConfirmedBy(gate.ByClient)
		}
	}
}

// T84: what the user has to confirm is not done on a model's word: their client asks,
// in every version that can, and shows just what is done.
func TestT84WhatTheUserConfirmsIsAskedInTheClient(t *testing.T) {
	for _, version := range asking {
		for _, tool := range classes {
			t.Run(version+" "+tool, func(t *testing.T) {
				s := newShop(t, byClient)
				p := &person{answer: func(string) *mcp.ElicitResult { return accept(true) }}
				ann := s.session(t, version, p)
				r := call(t, ann, tool, thing{"tea"})
				want(t, "the first call", r, "preview", "the user is then asked by their client")
				if len(p.asked) != 0 || r.data["confirmation"] != "client" {
					t.Errorf("asked %q before the second call: %s", p.asked, r.raw)
				}
				want(t, "confirmed", confirms(t, ann, r.token()), "succeeded", "Done")
				summary, _ := r.data["summary"].(string)
				if len(p.asked) != 1 || p.asked[0] != summary+"? In Shop, for the account of a***@example.com." {
					t.Errorf("asked %q about %q", p.asked, summary)
				}
				want(t, "confirmed again", confirms(t, ann, r.token()), "succeeded", "Done")
				if len(p.asked) != 1 {
					t.Errorf("asked again about what is done: %q", p.asked)
				}
			})
		}
	}
}

// A no ends it, and the same thing is not shown again for a while; a question that
// was closed may be asked again.
func TestANoIsANo(t *testing.T) {
	for _, version := range asking {
		for name, no := range map[string]*mcp.ElicitResult{"unticked": accept(false), "declined": {Action: "decline"}} {
			t.Run(version+" "+name, func(t *testing.T) {
				s := newShop(t, byClient)
				p := &person{answer: func(string) *mcp.ElicitResult { return no }}
				ann := s.session(t, version, p)
				token := shown(t, ann, "book", "tea")
				want(t, "a no", confirms(t, ann, token), "declined", "Nothing was done: the user said no to this: Get tea.")
				p.answer = func(string) *mcp.ElicitResult { return accept(true) }
				want(t, "after it", confirms(t, ann, token), "declined", "the user said no")
				want(t, "the same thing again", call(t, ann, "book", thing{"tea"}), "refused", "the user has just said no to exactly this")
				want(t, "another thing", confirms(t, ann, shown(t, ann, "book", "salt")), "succeeded", "Done")
				wantEffects(t, s, "after all", "salt")
			})
		}
	}
	s := newShop(t, byClient)
	p := &person{answer: func(string) *mcp.ElicitResult { return &mcp.ElicitResult{Action: "cancel"} }}
	ann := s.session(t, "2026-07-28", p)
	token := shown(t, ann, "book", "tea")
	want(t, "closed", confirms(t, ann, token), "refused", "the user did not answer")
	p.answer = func(string) *mcp.ElicitResult { return accept(true) }
	want(t, "asked again", confirms(t, ann, token), "succeeded", "Done")
}

// T84: a client that cannot ask is refused, in every version, and what is confirmed
// on a page is, where there is none.
func TestT84AMinimumThatCannotBeReachedIsRefused(t *testing.T) {
	for _, version := range append(asking, "2025-03-26") {
		s := newShop(t, byClient)
		ann := s.session(t, version, nil)
		token := shown(t, ann, "book", "tea")
		want(t, version, confirms(t, ann, token), "refused", "Nothing was done: book is done only when the user confirms it in their client, and this client cannot put questions")
		wantEffects(t, s, version)
	}
	for _, c := range []gate.Confirmation{gate.ByPage, gate.ByFreshPage} {
		s := newShop(t, func(cfg *foyer.Config) { cfg.Tools["book"] = gate.Scope("buy").ConfirmedBy(c) })
		ann := s.session(t, "2026-07-28", &person{answer: func(string) *mcp.ElicitResult { return accept(true) }})
		r := call(t, ann, "book", thing{"tea"})
		if got := confirms(t, ann, r.token()); got.status() == "succeeded" {
			t.Errorf("%v: %s", c, got.raw)
		}
		wantEffects(t, s, fmt.Sprint(c))
	}
}

// T85, T23, R-104, R-106: an accept that answers no question does nothing, nor does a
// state that somebody has changed, or that was used.
func TestT85T23AnAnswerToNoQuestionDoesNothing(t *testing.T) {
	s := newShop(t, byClient)
	ann := s.session(t, "2026-07-28", nil)
	token := shown(t, ann, "book", "tea")
	yes := mcp.InputResponseMap{"confirm": accept(true)}
	ask := func(state string, token string) (*mcp.CallToolResult, error) {
		p := &mcp.CallToolParams{Name: "confirm_request", Arguments: map[string]any{"confirmationToken": token}, InputResponses: yes, RequestState: state,
			Meta: mcp.Meta{"io.modelcontextprotocol/clientCapabilities": map[string]any{"elicitation": map[string]any{"form": map[string]any{}}}}}
		return ann.CallTool(t.Context(), p)
	}
	for name, state := range map[string]string{"no state": "", "a made-up state": "AAAA" + strings.Repeat("B", 100)} {
		if res, err := ask(state, token); err == nil && !res.IsError {
			t.Errorf("%s: %+v", name, res)
		}
		wantEffects(t, s, name)
	}
}

// T89: what a user says yes to they see whole. A model cannot push the rest of the
// arguments out of sight, also where a policy asks for the user only later.
func TestT89NothingIsConfirmedThatIsNotShown(t *testing.T) {
	long := thing{strings.Repeat("tea ", 500) + "and everything else"}
	for _, c := range []gate.Confirmation{gate.ByClient, gate.ByPage} {
		s := newShop(t, func(cfg *foyer.Config) { cfg.Tools["erase"] = gate.Scope("buy").ConfirmedBy(c) })
		ann := s.session(t, "2026-07-28", &person{answer: func(string) *mcp.ElicitResult { return accept(true) }})
		want(t, c.String(), call(t, ann, "erase", long), "refused", "Nothing was done: the user has to confirm erase, and these arguments are too long to be shown to them whole.")
		want(t, c.String()+", a short one", call(t, ann, "erase", thing{"tea"}), "preview", "Run erase with")
	}
	need := gate.ByModel
	s := newShop(t, func(cfg *foyer.Config) {
		cfg.Decider = deciderFunc(func(r gate.Request) (gate.Decision, error) {
			if r.Item == "erase" {
				return gate.Decision{Outcome: gate.Confirm, Confirm: need}, nil
			}
			return gate.Decision{Outcome: gate.Allow}, nil
		})
	})
	ann := s.session(t, "2026-07-28", &person{answer: func(string) *mcp.ElicitResult { return accept(true) }})
	first, second := call(t, ann, "erase", long), call(t, ann, "erase", long)
	want(t, "confirmed by the model", confirms(t, ann, first.token()), "succeeded", "Done")
	need = gate.ByClient
	want(t, "by the user, since", confirms(t, ann, second.token()), "refused", "too long to be shown")
	if got := s.effects(t); len(got) != 1 {
		t.Errorf("done %d times", len(got))
	}
}

// T86: a policy that fails when it is confirmed denies, and nothing is done; neither
// is a scope that was lost, a role that was taken or a rule that is another now.
func TestT86WhatIsConfirmedIsDecidedAgain(t *testing.T) {
	var down bool
	s := newShop(t, func(cfg *foyer.Config) {
		cfg.Decider = deciderFunc(func(r gate.Request) (gate.Decision, error) {
			if down {
				return gate.Decision{Outcome: gate.Allow}, fmt.Errorf("the policy decision point is down")
			}
			return gate.Decision{Outcome: gate.Allow}, nil
		})
		cfg.Tools["book"] = gate.Role("buyer").Confirmed().When(func(_ gate.Caller, a map[string]any) bool { return a["what"] != "gin" })
	})
	ann := s.house.SignIn(t, "ann@example.com")
	s.house.SetRoles(t, "ann@example.com", "buyer")
	token := shown(t, ann, "book", "tea")
	down = true
	if r := confirms(t, ann, token); !r.isError || !strings.Contains(r.text, "book") {
		t.Errorf("a policy that fails: %s", r.raw)
	}
	down = false
	s.house.SetRoles(t, "ann@example.com")
	if r := confirms(t, ann, token); !r.isError || !strings.Contains(r.text, "buyer") {
		t.Errorf("a role that was taken: %s", r.raw)
	}
	wantEffects(t, s, "after refusals")
	s.house.SetRoles(t, "ann@example.com", "buyer")
	want(t, "with the role again", confirms(t, ann, token), "succeeded", "Done")
	if r := call(t, ann, "book", thing{"gin"}); r.token() != "" || !r.isError {
		t.Errorf("arguments that the rule refuses are shown: %s", r.raw)
	}
}

type deciderFunc func(gate.Request) (gate.Decision, error)

func (f deciderFunc) Decide(_ context.Context, r gate.Request) (gate.Decision, error) { return f(r) }
