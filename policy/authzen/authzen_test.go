package authzen_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/policy/authzen"
)

var (
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	nobody = gate.Caller{At: noon}
	guest  = gate.Caller{GrantID: "grant1", GuestID: "guest1", Scopes: []string{"guest"}, At: noon}
	user   = gate.Caller{GrantID: "grant1", GuestID: "guest1", UserID: "user1", Email: "ann@example.com", Level: "chat",
		Scopes: []string{"guest", "notes:write", "acr:chat"}, Roles: []string{"editor"}, AuthTime: noon.Add(-time.Minute), At: noon}
)

func call(c gate.Caller, tool string, arguments map[string]any) gate.Request {
	return gate.Request{Caller: c, Kind: gate.Tool, Item: tool, Name: tool, Arguments: arguments}
}

// What is sent is what the package says.
func TestWhatIsAsked(t *testing.T) {
	const asUser = `{"subject":{"type":"user","id":"user1","properties":{"level":"chat","authenticated_at":"2026-11-21T11:59:00Z",` +
		`"scopes":["guest","notes:write","acr:chat"],"roles":["editor"]}}`
	for _, test := range []struct {
		name string
		r    gate.Request
		want string
	}{
		{"a user's call", call(user, "delete_note", map[string]any{"id": 7.0}), asUser +
			`,"action":{"name":"tools/call"},"resource":{"type":"tool","id":"delete_note"},"context":{"time":"2026-11-21T12:00:00Z","arguments":{"id":7}}}`},
		{"a guest's call without arguments", call(guest, "list_notes", map[string]any{}),
			`{"subject":{"type":"guest","id":"guest1","properties":{"scopes":["guest"],"roles":[]}},` +
				`"action":{"name":"tools/call"},"resource":{"type":"tool","id":"list_notes"},"context":{"time":"2026-11-21T12:00:00Z","arguments":{}}}`},
		{"whether nobody is shown a tool", call(nobody, "search", nil),
			`{"subject":{"type":"nobody","id":"nobody","properties":{"scopes":[],"roles":[]}},` +
				`"action":{"name":"tools/call"},"resource":{"type":"tool","id":"search"},"context":{"time":"2026-11-21T12:00:00Z"}}`},
		{"a resource of a template", gate.Request{Caller: user, Kind: gate.Resource, Item: "notes://{id}", Name: "notes://7", Arguments: map[string]any{"id": "7"}}, asUser +
			`,"action":{"name":"resources/read"},"resource":{"type":"resource","id":"notes://7","properties":{"item":"notes://{id}"}},` +
			`"context":{"time":"2026-11-21T12:00:00Z","arguments":{"id":"7"}}}`},
		{"a prompt", gate.Request{Caller: user, Kind: gate.Prompt, Item: "reflect", Name: "reflect", Arguments: map[string]any{"on": "<b>"}}, asUser +
			`,"action":{"name":"prompts/get"},"resource":{"type":"prompt","id":"reflect"},"context":{"time":"2026-11-21T12:00:00Z","arguments":{"on":"\u003cb\u003e"}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &pdp{policy: func(question) object { return allow }}
			got, err := serve(t, p).Decide(t.Context(), test.r)
			if err != nil || got.Outcome != gate.Allow {
				t.Fatalf("Decide = %+v, %v", got, err)
			}
			asked := p.exchanges()
			if len(asked) != 1 || asked[0].path != "/tenant/access/v1/evaluation" || asked[0].body != test.want || asked[0].id == "" {
				t.Errorf("asked %+v\nwant %s", asked, test.want)
			}
		})
	}
}

// Neither a token nor an address leaves this server, nor do one-time codes.
func TestSecretsAreNotAsked(t *testing.T) {
	p := &pdp{policy: func(question) object { return allow }}
	d := serve(t, p)
	for _, r := range []gate.Request{
		call(user, "list_notes", nil),
		call(guest, "authenticate", map[string]any{"email": "ann@example.com"}),
		call(guest, "validate_token", map[string]any{"code": "271828"}),
		call(guest, "validate_token", map[string]any{"validationToken": "271828"}),
	} {
		if _, err := d.Decide(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := d.DecideAll(t.Context(), []gate.Request{r, r}); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range p.exchanges() {
		for _, secret := range []string{"ann@", "271828", "grant1", "fya_"} {
			if strings.Contains(fmt.Sprint(e), secret) {
				t.Errorf("%q was sent in %v", secret, e)
			}
		}
	}
	if n := len(p.exchanges()); n != 8 {
		t.Errorf("%d requests, want 8", n)
	}
}

// A list is one question, with what all have in common said once.
func TestAListIsOneQuestion(t *testing.T) {
	p := &pdp{policy: func(q question) object { return object{"decision": q.resource["id"] != "t1"} }}
	got, err := serve(t, p).DecideAll(t.Context(), []gate.Request{call(user, "t0", nil), call(user, "t1", nil), call(user, "t2", nil)})
	want := []gate.Decision{{Outcome: gate.Allow}, {Outcome: gate.Deny, Reason: gate.Policy}, {Outcome: gate.Allow}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("DecideAll = %+v, %v", got, err)
	}
	asked := p.exchanges()
	if len(asked) != 1 || asked[0].path != "/tenant/access/v1/evaluations" {
		t.Fatalf("asked %+v", asked)
	}
	wantBody := `{"subject":{"type":"user","id":"user1","properties":{"level":"chat","authenticated_at":"2026-11-21T11:59:00Z","scopes":["guest","notes:write","acr:chat"],"roles":["editor"]}},` +
		`"context":{"time":"2026-11-21T12:00:00Z"},"evaluations":[{"action":{"name":"tools/call"},"resource":{"type":"tool","id":"t0"}},` +
		`{"action":{"name":"tools/call"},"resource":{"type":"tool","id":"t1"}},{"action":{"name":"tools/call"},"resource":{"type":"tool","id":"t2"}}],` +
		`"options":{"evaluations_semantic":"execute_all"}}`
	if asked[0].body != wantBody {
		t.Errorf("asked %s\nwant  %s", asked[0].body, wantBody)
	}
}

// Questions that differ in more than the item are answered each by itself: who
// asks first lends nobody anything.
func TestEachOfManyIsAnsweredForItself(t *testing.T) {
	p := &pdp{policy: func(q question) object {
		arguments, _ := q.context["arguments"].(object)
		return object{"decision": q.subject["type"] == "user" && arguments["n"] != 1.0}
	}}
	rs := []gate.Request{call(user, "a", map[string]any{"n": 1.0}), call(guest, "a", nil), call(user, "a", nil), call(nobody, "b", map[string]any{"n": 2.0}), call(user, "b", map[string]any{"n": 2.0})}
	d := serve(t, p)
	for _, rs := range [][]gate.Request{rs, {rs[4], rs[3], rs[2], rs[1], rs[0]}} {
		all, err := d.DecideAll(t.Context(), rs)
		if err != nil || len(all) != len(rs) {
			t.Fatalf("DecideAll = %+v, %v", all, err)
		}
		for i, r := range rs {
			one, err := d.Decide(t.Context(), r)
			if err != nil || !reflect.DeepEqual(one, all[i]) {
				t.Errorf("%d: alone %+v, %v, among others %+v", i, one, err, all[i])
			}
		}
	}
}

func TestALongListIsAskedInBatches(t *testing.T) {
	for _, test := range []struct{ items, batch, requests int }{{0, 0, 0}, {1, 0, 1}, {50, 0, 1}, {51, 0, 2}, {120, 0, 3}, {120, 500, 1}, {3, 1, 3}} {
		p := &pdp{policy: func(q question) object { return object{"decision": strings.HasSuffix(q.resource["id"].(string), "7")} }}
		var rs []gate.Request
		for i := range test.items {
			rs = append(rs, call(user, fmt.Sprint("t", i), nil))
		}
		got, err := serve(t, p, func(cfg *authzen.Config) { cfg.Batch = test.batch }).DecideAll(t.Context(), rs)
		if err != nil || len(got) != test.items || len(p.exchanges()) != test.requests {
			t.Fatalf("%+v: %d answers to %d requests, %v", test, len(got), len(p.exchanges()), err)
		}
		for i, d := range got {
			if (d.Outcome == gate.Allow) != (i%10 == 7) {
				t.Errorf("%+v: %d is %+v", test, i, d)
			}
		}
	}
}

func TestWhatADenialNames(t *testing.T) {
	policy := gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}
	ask := func(why gate.Reason, scopes ...string) gate.Decision {
		return gate.Decision{Outcome: gate.Challenge, Reason: why, Scopes: scopes}
	}
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprint("s", i))
	}
	for _, test := range []struct {
		name   string
		answer object
		caller gate.Caller
		want   gate.Decision
	}{
		{"nothing", deny, user, policy},
		{"a scope that the user lacks", lacks("notes:export"), user, ask(gate.NeedsScope, "notes:export")},
		{"one of two: both are asked for", lacks("notes:write", "notes:export"), user, ask(gate.NeedsScope, "notes:write", "notes:export")},
		{"a level", lacks("acr:email"), user, ask(gate.NeedsLevel, "acr:email")},
		{"a scope and a level", lacks("acr:email", "notes:export"), user, ask(gate.NeedsScope, "acr:email", "notes:export")},
		{"a guest signs in first", lacks("notes:write"), guest, ask(gate.NeedsSignIn, "notes:write")},
		{"nobody too", lacks("notes:write"), nobody, ask(gate.NeedsSignIn, "notes:write")},
		{"what the user has: the client would come back for ever", lacks("notes:write", "acr:chat"), user, policy},
		{"no scope", lacks(), user, policy},
		{"an empty scope", lacks(""), user, policy},
		{"a scope with a space", lacks("notes:export admin"), user, policy},
		{"a scope that leaves its quotation marks", lacks(`x",error="y`), user, policy},
		{"a scope with a backslash", lacks(`x\`), user, policy},
		{"a scope with a line break", lacks("x\r\nSet-Cookie: y"), user, policy},
		{"a scope that is not ASCII", lacks("notes:é"), user, policy},
		{"a good one and a bad one", lacks("notes:export", "a b"), user, policy},
		{"the guest's scope, which opens nothing", lacks("guest"), nobody, policy},
		{"offline_access, which is never needed", lacks("offline_access"), user, policy},
		{"a very long scope", lacks(strings.Repeat("x", 129)), user, policy},
		{"many scopes", lacks(many...), user, policy},
		{"as many as there may be", lacks(many[:20]...), user, ask(gate.NeedsScope, many[:20]...)},
		{"a text instead of a list", object{"decision": false, "context": object{"scopes": "notes:export"}}, user, policy},
		{"a list with a number", object{"decision": false, "context": object{"scopes": []any{"notes:export", 1}}}, user, policy},
		{"a list with null", object{"decision": false, "context": object{"scopes": []any{"notes:export", nil}}}, user, policy},
		{"another case", object{"decision": false, "context": object{"Scopes": []string{"notes:export"}}}, user, policy},
		{"scopes beside the context", object{"decision": false, "scopes": []string{"notes:export"}}, user, policy},
		{"a context that is a text", object{"decision": false, "context": "notes:export"}, user, policy},
		{"a reason alone", object{"decision": false, "context": object{"reason_admin": object{"403": "Policy C076E82F"}}}, user, policy},
		{"scopes beside an allowance", object{"decision": true, "context": object{"scopes": []string{"notes:export"}}}, user, gate.Decision{Outcome: gate.Allow}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := serve(t, &pdp{policy: func(question) object { return test.answer }})
			got, err := d.Decide(t.Context(), call(test.caller, "export_notes", nil))
			all, allErr := d.DecideAll(t.Context(), []gate.Request{call(test.caller, "export_notes", nil)})
			if err != nil || allErr != nil || !reflect.DeepEqual(got, test.want) || !reflect.DeepEqual(all, []gate.Decision{test.want}) {
				t.Errorf("Decide = %+v, %v; DecideAll = %+v, %v; want %+v", got, err, all, allErr, test.want)
			}
		})
	}
}

func TestTLSIsDemanded(t *testing.T) {
	p := &pdp{policy: func(question) object { return allow }}
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	cfg := authzen.Config{URL: server.URL + "/tenant/", Header: http.Header{"Authorization": {pdpKey}}, Client: server.Client()}
	if d, err := open(t, cfg).Decide(t.Context(), call(user, "a", nil)); err != nil || d.Outcome != gate.Allow {
		t.Errorf("with the server's authority: %+v, %v", d, err)
	}
	cfg.Client = nil
	if d, err := open(t, cfg).Decide(t.Context(), call(user, "a", nil)); err == nil || d.Outcome != gate.Deny {
		t.Errorf("with a certificate that nobody vouches for: %+v, %v", d, err)
	}
	if n := len(p.exchanges()); n != 1 {
		t.Errorf("%d requests came in, want 1", n)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		cfg  authzen.Config
		want string
	}{
		{"no URL", authzen.Config{}, "URL"},
		{"plain http elsewhere", authzen.Config{URL: "http://pdp.example.com"}, "must be https"},
		{"plain http at a name like this device's", authzen.Config{URL: "http://localhost.example.com"}, "must be https"},
		{"plain http on every device", authzen.Config{URL: "http://0.0.0.0:8181"}, "must be https"},
		{"another scheme", authzen.Config{URL: "ftp://pdp.example.com"}, "must be https"},
		{"a password in the URL", authzen.Config{URL: "https://foyer:canary@pdp.example.com"}, "a host and a path alone"},
		{"a query", authzen.Config{URL: "https://pdp.example.com?key=canary"}, "a host and a path alone"},
		{"a fragment", authzen.Config{URL: "https://pdp.example.com#canary"}, "a host and a path alone"},
		{"no URL at all", authzen.Config{URL: "https://canary:%zz"}, "a host and a path alone"},
		{"a header that adds another", authzen.Config{URL: "https://pdp.example.com", Header: http.Header{"Authorization": {"Bearer canary\r\nX: y"}}}, `Header "Authorization"`},
		{"no time", authzen.Config{URL: "https://pdp.example.com", Timeout: -1}, "Timeout"},
		{"a batch of less than nothing", authzen.Config{URL: "https://pdp.example.com", Batch: -1}, "Batch"},
	} {
		d, err := authzen.New(test.cfg)
		if d != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	_, err := authzen.New(authzen.Config{Timeout: -1, Batch: -1})
	for _, all := range []string{"URL", "Timeout", "Batch"} {
		if err == nil || !strings.Contains(err.Error(), all) {
			t.Errorf("%v does not speak of %s", err, all)
		}
	}
	for _, base := range []string{"https://pdp.example.com", "https://pdp.example.com/stores/1/", "http://localhost:8181", "http://127.0.0.1:8181", "http://[::1]:8181"} {
		if _, err := authzen.New(authzen.Config{URL: base}); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestAPrintedDeciderShowsNoKey(t *testing.T) {
	cfg := authzen.Config{URL: "https://pdp.example.com", Header: http.Header{"Authorization": {"Bearer canary"}}}
	d := open(t, cfg)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "cfg", cfg, "d", d)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "cfg", cfg, "d", d)
	text, err := json.Marshal([]any{cfg, d})
	printed := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s %v", cfg, cfg, cfg, cfg, d, d, d, *d, []any{&cfg, d}) + log.String() + string(text)
	if err != nil || strings.Contains(printed, "canary") || !strings.Contains(printed, "pdp.example.com") {
		t.Errorf("%v: %s", err, printed)
	}
}
