package foyertest_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/elicit"
	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// desk is the tables of a server with a tool for each sort of caller.
func desk() foyer.Config {
	return foyer.Config{Tools: gate.Rules{"look": gate.Anyone(), "owner": gate.SignedIn(), "clean": gate.Role("cleaner"), "choose": gate.SignedIn()}}
}

// A colour is what choose asks for.
type colour struct {
	Colour string `json:"colour"`
}

func serve(kit *foyer.Kit) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "desk", Version: "1"}, nil)
	for _, name := range []string{"look", "owner", "clean"} {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: name + " by " + gate.CallerFrom(ctx).Email}}}, nil, nil
		})
	}
	elicit.AddTool(kit.Questions(), server, &mcp.Tool{Name: "choose"}, func(_ context.Context, ask *elicit.Ask, _ struct{}) (colour, error) {
		return elicit.Form[colour](ask, "colour", "Which?")
	})
	return server
}

func wants(t *testing.T, session *mcp.ClientSession, tool string, isError bool, want string) {
	t.Helper()
	if text, e := foyertest.Call(t, session, tool, nil); e != isError || !strings.Contains(text, want) {
		t.Errorf("%s: %s (error: %v), want %s", tool, text, e, want)
	}
}

func TestAGuestOfTheHouseBecomesAUser(t *testing.T) {
	house := foyertest.New(t, desk(), serve)
	guest := house.Guest(t)
	wants(t, guest, "look", false, "look by ")
	wants(t, guest, "owner", true, "call authenticate")
	house.Claim(t, guest, "Guest@EXAMPLE.com")
	wants(t, guest, "owner", false, "owner by guest@example.com")

	ann := house.SignIn(t, "ann@example.com")
	wants(t, ann, "clean", true, "users who are cleaner")
	house.SetRoles(t, "ann@example.com", "cleaner")
	wants(t, ann, "clean", false, "clean by ann@example.com")
	again := house.SignIn(t, "ann@example.com") // a second client, a second mail
	wants(t, again, "clean", false, "clean by ann@example.com")
}

func TestTheMailboxGivesEachMailOnceAndTheNewestFirst(t *testing.T) {
	house := foyertest.New(t, desk(), serve)
	guest := house.Guest(t)
	foyertest.Call(t, guest, "authenticate", map[string]any{"email": "ann@example.com"})
	text := house.Mail(t, "ann@example.com")
	if !strings.Contains(text, "foyertest") || !strings.Contains(text, "To: <ann@example.com>") {
		t.Errorf("the mail does not name the client, or whom it is for:\n%s", text)
	}
	house.SignIn(t, "ann@example.com")
	foyertest.Call(t, guest, "authenticate", map[string]any{"email": "bob@example.com"})
	if text, isError := foyertest.Call(t, guest, "validate_token", map[string]any{"code": house.Digits(t, "bob@example.com")}); isError {
		t.Error(text)
	}
}

func TestAClientKeepsItsTokenAndSpeaksTheVersionThatItIsTold(t *testing.T) {
	house := foyertest.New(t, desk(), serve)
	for _, version := range []string{"2025-06-18", "2025-11-25", "2026-07-28"} {
		c := house.Client(t)
		c.Version, c.Options = version, &mcp.ClientOptions{ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"colour": "blue"}}, nil
		}}
		first := c.Connect(t)
		house.Claim(t, first, "ann@example.com")
		wants(t, first, "choose", false, "blue")
		token := c.Token(t)
		first.Close()
		second := c.Connect(t)
		wants(t, second, "owner", false, "owner by ann@example.com")
		if c.Token(t) != token {
			t.Errorf("%s: the second connection has another token", version)
		}
		if got := second.InitializeResult().ProtocolVersion; got != version {
			t.Errorf("the client speaks %s, want %s", got, version)
		}
	}
}

func TestNobodyEntersByTheLazyEndpointAlone(t *testing.T) {
	cfg := desk()
	cfg.Endpoints = []foyer.Endpoint{{Path: "/mcp"}, {Path: "/public", Entry: gate.Lazy}, {Path: "/people", Entry: gate.Eager}}
	house := foyertest.New(t, cfg, serve)
	wants(t, house.Nobody(t), "look", false, "look by ")
	if got := said(t, func(tb testing.TB) { foyertest.At(tb, house.URL, "").Nobody(tb) }); !strings.Contains(got, "Unauthorized") {
		t.Errorf("at the endpoint for guests nobody is told %q", got)
	}
	c := house.Client(t)
	c.URL = house.Issuer + "/people"
	if got := said(t, func(tb testing.TB) { c.Connect(tb) }); !strings.Contains(got, "the browser shows a page for a person") {
		t.Errorf("at the endpoint for people a guest is told %q", got)
	}
	if got := said(t, func(tb testing.TB) { c.Token(tb) }); !strings.Contains(got, "no token yet") {
		t.Errorf("and has a token: %q", got)
	}
}

func TestLimitsApplyWhereTheTestAsksForThem(t *testing.T) {
	cfg := desk()
	for limit, limited := range map[int]bool{0: false, 1200: true} {
		cfg.CallsPerMinute = limit
		guest := foyertest.New(t, cfg, serve).Guest(t)
		for i := range 2 {
			if text, isError := foyertest.Call(t, guest, "authenticate", map[string]any{"email": "ann@example.com"}); isError != (limited && i == 1) {
				t.Errorf("with %d calls a minute, mail %d of one minute: %s", limit, i+1, text)
			}
		}
	}
}

// A postman counts what it is given.
type postman struct{ mails atomic.Int32 }

func (p *postman) Send(context.Context, mail.Message) error { p.mails.Add(1); return nil }

func TestWhatAConfigHasIsKept(t *testing.T) {
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "mine.db"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, sent := desk(), &postman{}
	cfg.Issuer, cfg.Store, cfg.Mail = "https://desk.example.com", db, sent
	cfg.Secrets = []string{"a secret of the tests, and of nobody else"}
	t.Run("a house", func(t *testing.T) {
		house := foyertest.New(t, cfg, serve)
		if house.Issuer != cfg.Issuer || house.URL != cfg.Issuer+"/mcp" {
			t.Errorf("the house is at %s and %s", house.Issuer, house.URL)
		}
		wants(t, house.SignIn(t, "ann@example.com"), "owner", false, "owner by ann@example.com")
		res, err := house.HTTP.Get(house.Issuer + "/.well-known/oauth-authorization-server")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("its metadata: %s", res.Status)
		}
	})
	if n := sent.mails.Load(); n != 1 {
		t.Errorf("%d mails were sent, want 1", n)
	}
	err = db.View(t.Context(), func(tx store.Tx) error {
		_, err := tx.UserByEmail(t.Context(), "ann@example.com")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Errorf("after the house the store: %v", err)
	}
}

func TestWhatAHouseCannotDoItSays(t *testing.T) {
	bad, unruled := desk(), desk()
	bad.CallsPerMinute = -1
	delete(unruled.Tools, "look")
	house := foyertest.New(t, desk(), serve)
	guest := house.Guest(t)
	for _, test := range []struct {
		name, want string
		f          func(testing.TB)
	}{
		{"a config that no kit takes", "CallsPerMinute: -1 is negative", func(tb testing.TB) { foyertest.New(tb, bad, serve) }},
		{"rules that do not fit the server", `tool "look" has no rule`, func(tb testing.TB) { foyertest.New(tb, unruled, serve) }},
		{"roles of who never came", "ann@example.com has never signed in", func(tb testing.TB) { house.SetRoles(tb, "ann@example.com", "cleaner") }},
		{"a role that is none", "a role has no name", func(tb testing.TB) {
			house.SignIn(tb, "bob@example.com")
			house.SetRoles(tb, "bob@example.com", "")
		}},
		{"roles in another program", "the kit is another program's", func(tb testing.TB) { foyertest.At(tb, house.URL, "").SetRoles(tb, "ann@example.com", "cleaner") }},
		{"an address that is none", "address", func(tb testing.TB) { house.Claim(tb, guest, "nobody") }},
		{"a tool that there is not", "fly: ", func(tb testing.TB) { foyertest.Call(tb, guest, "fly", nil) }},
		{"a second sign-in of a user", "authenticate: ", func(tb testing.TB) { house.Claim(tb, house.SignIn(tb, "cem@example.com"), "cem@example.com") }},
	} {
		if got := said(t, test.f); !strings.Contains(got, test.want) {
			t.Errorf("%s: it says %q, want %q", test.name, got, test.want)
		}
	}
}
