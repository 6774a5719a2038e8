package mcpgate_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// seen is all that a client sees of an answer.
func seen(a reply, name, as string) string {
	a.header.Del("Date")
	return fmt.Sprintf("%d\n%v\n%s", a.status, a.header, strings.ReplaceAll(a.body, name, as))
}

// Nothing tells a hidden item from a name that nobody has registered: status,
// headers and body are the same bytes. (T70, X52)
func TestHiddenItemsAnswerByteForByteLikeUnknownNames(t *testing.T) {
	r := newRoom(t)
	for _, version := range []string{modern, older} {
		for who, token := range map[string]string{"guest": r.guest(), "user": r.user()} {
			for _, k := range kinds[:7] {
				for _, path := range []string{"/mcp", "/inside"} {
					if k.name == "subscription" && version == modern {
						continue // there is no such method
					}
					hidden, unknown := r.try(t, path, version, caller{token: token}, k, "hidden"), r.try(t, path, version, caller{token: token}, k, "nobody")
					if len(hidden.ran) > 0 || hidden.code() != -32602 {
						t.Errorf("%s %s, %s, %s: ran %v: %s", path, version, who, k.name, hidden.ran, hidden.body)
					}
					if got, want := seen(hidden, "hidden", "nobody"), seen(unknown, "nobody", "nobody"); got != want {
						t.Errorf("%s %s, %s, %s:\nhidden  %s\nunknown %s", path, version, who, k.name, got, want)
					}
				}
			}
		}
	}
}

// The SDK compares Mcp-Param headers with a tool's schema before any middleware
// runs, and would so tell that the tool exists. (T70, R-99, X52)
func TestAHiddenToolsSchemaDoesNotGiveItAway(t *testing.T) {
	r := newRoom(t)
	for who, token := range map[string]string{"guest": r.guest(), "user": r.user()} {
		for name, change := range map[string]func(*http.Request){
			"without the header":        func(*http.Request) {},
			"with another value":        func(req *http.Request) { req.Header.Set("Mcp-Param-City", "Oslo") },
			"with the value":            func(req *http.Request) { req.Header.Set("Mcp-Param-City", "Rome") },
			"with broken Base64":        func(req *http.Request) { req.Header.Set("Mcp-Param-City", "=?base64?!?=") },
			"without Mcp-Name":          func(req *http.Request) { req.Header.Del("Mcp-Name") },
			"with a public Mcp-Name":    func(req *http.Request) { req.Header.Set("Mcp-Name", "anyone") },
			"without a type of content": func(req *http.Request) { req.Header.Del("Content-Type") },
		} {
			t.Run(who+" "+name, func(t *testing.T) {
				var answers []string
				for _, tool := range []string{"hidden_with_header", "nobody_with_header"} {
					req := r.request(t, "/mcp", modern, token, "tools/call", `{"name":"`+tool+`","arguments":{"city":"Rome"}}`)
					change(req)
					answers = append(answers, seen(r.do(t, req), tool, "it"))
				}
				if answers[0] != answers[1] {
					t.Errorf("hidden  %s\nunknown %s", answers[0], answers[1])
				}
			})
		}
	}
	token := r.user("write", "export")
	if a := r.ask(t, modern, token, "tools/call", `{"name":"hidden_with_header","arguments":{"city":"Rome"}}`); a.code() != -32020 {
		t.Errorf("who may call it gets the SDK's own answer: %d %s", a.status, a.body)
	}
}

// A page of a list ends with a cursor that names its last item. No caller meets
// one, however small the pages of the server are, and nobody misses an item.
// (T70, R-115, X52)
func TestPagesOfAListDoNotGiveHiddenItemsAway(t *testing.T) {
	whole := newRoom(t)
	for _, size := range []int{1, 2, 3} {
		paged := newRoom(t, func(o *mcp.ServerOptions) { o.PageSize = size })
		for _, version := range []string{modern, older} {
			for _, method := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
				for _, scopes := range [][]string{nil, {"write", "export"}} {
					got := paged.ask(t, version, paged.user(scopes...), method, `{}`)
					want := whole.ask(t, version, whole.user(scopes...), method, `{}`)
					if !reflect.DeepEqual(got.rpc.Result, want.rpc.Result) {
						t.Errorf("%s, %s by %d: %s\nwant %s", version, method, size, got.body, want.body)
					}
					if cursor, ok := got.rpc.Result["nextCursor"]; ok || scopes == nil && strings.Contains(got.body, "hidden") {
						t.Errorf("%s, %s by %d: a cursor (%v), or a hidden name: %s", version, method, size, cursor, got.body)
					}
				}
			}
		}
	}
}

// A client may make a cursor up: what it gets is filtered all the same. (T70)
func TestACursorThatSomebodyMadeUpShowsNothingMore(t *testing.T) {
	r := newRoom(t, func(o *mcp.ServerOptions) { o.PageSize = 2 })
	token := r.guest()
	// The SDK's own cursor after "guests_only": gob of its page token.
	server := mcp.NewServer(&mcp.Implementation{Name: "x", Version: "1"}, &mcp.ServerOptions{PageSize: 1})
	for _, name := range []string{"guests_only", "z"} {
		server.AddPrompt(&mcp.Prompt{Name: name}, nil)
	}
	near, far := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), far, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "x", Version: "1"}, nil).Connect(t.Context(), near, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	res, err := session.ListPrompts(t.Context(), nil)
	if err != nil || res.NextCursor == "" {
		t.Fatalf("no cursor: %v", err)
	}
	a := r.ask(t, modern, token, "prompts/list", `{"cursor":"`+res.NextCursor+`"}`)
	prompts, _ := a.rpc.Result["prompts"].([]any)
	var names []string
	for _, p := range prompts {
		names = append(names, p.(map[string]any)["name"].(string))
	}
	if !slices.Equal(names, []string{"not_default", "signed_in"}) {
		t.Errorf("after guests_only come %v", names)
	}
	for _, cursor := range []string{"x", base64.URLEncoding.EncodeToString([]byte("hidden")), strings.Repeat("A", 4096)} {
		if a := r.ask(t, modern, token, "prompts/list", `{"cursor":"`+cursor+`"}`); a.status != http.StatusBadRequest || a.code() != -32602 {
			t.Errorf("cursor %.10q: %d %s", cursor, a.status, a.body)
		}
	}
}

// Every template that matches a URI must allow it, whichever the SDK would
// serve it from; a template without variables is no exception. (X43)
func TestOverlappingTemplates(t *testing.T) {
	r := newRoom(t)
	for _, test := range []struct {
		name, uri string
		token     string
		want      string
	}{
		{"both allow", "room://anyone/vault", r.user("write", "export"), "200 ok ran"},
		{"the special one refuses, the public one allows", "room://anyone/vault", r.guest(), "403 insufficient_scope"},
		{"the same, to a user without scope", "room://anyone/vault", r.user(), "403 insufficient_scope"},
		{"only the public one matches", "room://anyone/vaults", r.guest(), "200 ok ran"},
		{"both refuse, the hidden one wins", "room://hidden/vault", r.guest(), "400 error -32602"},
		{"a guests' one refuses a user, whom the special one allows", "room://guests_only/vault", r.user("write", "export"), "200 error 403"},
		{"nothing matches", "room://anyone/vault/7", r.user("write", "export"), "400 error -32602"},
		{"percent signs are no way round", "room://anyone/vaul%74", r.guest(), "200 ok ran"}, // another URI: its handler is the public one's
		{"a template that is all literal comes under the other, too", "lit://~literal", r.guest(), "200 error 403"},
		{"a user may read both", "lit://~literal", r.user(), "200 ok ran"},
		{"the name of a template is no URI", "room://signed_in/{id}", r.guest(), "200 error 403"},
		{"and not of a hidden one either", "room://hidden/{id}", r.guest(), "400 error -32602"},
		{"a line break does not end a URI", "room://anyone/7\nx", r.guest(), "400 error -32602"},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := strings.ReplaceAll(test.uri, "\n", `\n`)
			req := r.request(t, "/mcp", modern, test.token, "resources/read", `{"uri":"`+body+`"}`)
			if strings.Contains(test.uri, "\n") {
				req.Header.Del("Mcp-Name")
			}
			if got := cell(r.do(t, req)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
