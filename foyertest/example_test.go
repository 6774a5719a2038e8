package foyertest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
)

// The tables of a server, and the server, stand in the program.
var rules = gate.Rules{"search": gate.Anyone(), "save_note": gate.SignedIn()}

func newServer(*foyer.Kit) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "notes", Version: "1"}, nil)
	for _, name := range []string{"search", "save_note"} {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done for " + gate.CallerFrom(ctx).Email}}}, nil, nil
		})
	}
	return server
}

func ExampleNew() {
	var t *testing.T // of func TestAGuestSignsInAndGoesOn(t *testing.T)

	house := foyertest.New(t, foyer.Config{Tools: rules}, newServer)
	session := house.Guest(t)
	if text, isError := foyertest.Call(t, session, "save_note", nil); !isError || !strings.Contains(text, "call authenticate") {
		t.Errorf("a guest is told %s", text)
	}
	house.Claim(t, session, "ann@example.com")
	if text, isError := foyertest.Call(t, session, "save_note", nil); isError || text != "done for ann@example.com" {
		t.Errorf("the same call, after the sign-in: %s", text)
	}
}

func ExampleRules() {
	var t *testing.T // of func TestWhoMayDoWhat(t *testing.T)

	foyertest.Rules(t, "testdata/rules.txt", foyer.Config{Tools: rules},
		foyertest.Nobody(), foyertest.Guest(), foyertest.User("ann"))
}

func ExampleCaller_In() {
	var t *testing.T // of func TestSmallAmountsAlone(t *testing.T)

	cfg := foyer.Config{Tools: gate.Rules{"pay": gate.SignedIn().When(small)}}
	ann := foyertest.User("ann").In(t, cfg)
	if d := cfg.Tools.Decide(ann, "pay", map[string]any{"amount": 1000.0}); d.Reason != gate.NotThese {
		t.Errorf("a large amount: %v", d)
	}
}
