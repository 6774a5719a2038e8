package confirm_test

import (
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
)

// Nobody makes a server with a tool that guests may call and never confirm: it is told
// beside all other problems, with the next step.
func TestAToolThatNoGuestCouldConfirmIsRefusedAtTheStart(t *testing.T) {
	s := newShop(t)
	cfg := s.config(gate.Rules{
		"keep": gate.AnyGrant().ConfirmedBy(gate.ByPage), "wrap": gate.AnyGrant().ConfirmedBy(gate.ByFreshPage), "give": gate.Anyone().ConfirmedBy(gate.ByPage),
		"ask": gate.AnyGrant().ConfirmedBy(gate.ByClient), "pay": gate.SignedIn().ConfirmedBy(gate.ByPage), "sell": gate.Scope("selll"),
	})
	_, err := foyer.New(cfg)
	if err == nil {
		t.Fatal("a server whose guests have no page")
	}
	for _, tool := range []string{"keep", "wrap", "give"} {
		if !strings.Contains(err.Error(), "Tools: ") || !strings.Contains(err.Error(), tool+": only a user confirms on a page, and the rule lets guests in, who never could; begin it with SignedIn, or have it confirmed ByClient") {
			t.Errorf("%s: %v", tool, err)
		}
	}
	if !strings.Contains(err.Error(), `sell: scope "selll" is not in Scopes`) || strings.Contains(err.Error(), "ask:") || strings.Contains(err.Error(), "pay:") {
		t.Errorf("told: %v", err)
	}
}

// A guest is asked in the client, and says yes there; where a policy asks for a page, a
// guest is told to sign in, and is sent to none.
func TestAGuestIsAskedInTheClientAndNeverOnAPage(t *testing.T) {
	need := gate.ByClient
	s := newShop(t, func(cfg *foyer.Config) {
		cfg.Tools["keep"] = gate.AnyGrant().ConfirmedBy(gate.ByClient)
		cfg.Tools["book"] = gate.Scope("buy").ConfirmedBy(gate.ByPage) // so that there is a page
		cfg.Decider = deciderFunc(func(r gate.Request) (gate.Decision, error) {
			if r.Item == "keep" {
				return gate.Decision{Outcome: gate.Confirm, Confirm: need}, nil
			}
			return gate.Decision{Outcome: gate.Allow}, nil
		})
	})
	c := s.house.Client(t)
	c.Options = &mcp.ClientOptions{ElicitationHandler: (&person{answer: func(string) *mcp.ElicitResult { return accept(true) }}).answers}
	guest := c.Connect(t)
	want(t, "in the client", confirms(t, guest, shown(t, guest, "keep", "tea")), "succeeded", "Done")
	before := shown(t, guest, "keep", "salt")
	for _, need = range []gate.Confirmation{gate.ByPage, gate.ByFreshPage} {
		for what, r := range map[string]reply{"a preview": call(t, guest, "keep", thing{"gin"}), "what was shown before": confirms(t, guest, before)} {
			want(t, what, r, "refused", "nobody is signed in. If the user wants it, ask them for their e-mail address and call authenticate")
			if strings.Contains(r.raw, "/confirm/") {
				t.Errorf("%s sends a guest to a page: %s", what, r.raw)
			}
		}
	}
	wantEffects(t, s, "after all", "tea")
}
