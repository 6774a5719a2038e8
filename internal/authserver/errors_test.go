package authserver

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
)

// Every line of the table, by what really brings it about (RFC 6749 section 5.2,
// RFC 7009 section 2.2.1, RFC 7591 section 3.2.2, X22, X25, X57).
func TestEveryRefusalHasItsAnswer(t *testing.T) {
	causes := map[error]func(r *room) *httptest.ResponseRecorder{
		client.ErrUnknown: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			r.update(forget(id))
			return r.post("/token", renewal(id, issued.refresh))
		},
		client.ErrPublic: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			return r.post("/token", renewal(id, issued.refresh, "client_secret", "s"))
		},
		client.ErrCredentials: func(r *room) *httptest.ResponseRecorder {
			return r.post("/token", renewal("secretive", "fyr_x"))
		},
		client.ErrAssertion: func(r *room) *httptest.ResponseRecorder {
			return r.post("/token", renewal("secretive", "fyr_x", "client_assertion_type", "x"))
		},
		client.ErrKeys: func(r *room) *httptest.ResponseRecorder {
			w := r.post("/token", with(renewal("remote", "fyr_x"), "client_assertion_type", assertionType, "client_assertion", r.assertion("remote")))
			if w.Header().Get("Retry-After") != "10" {
				r.t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
			}
			return w
		},
		client.ErrRedirectURIs: func(r *room) *httptest.ResponseRecorder {
			return r.registerJSON(`{"redirect_uris":["javascript:x"]}`)
		},
		client.ErrMetadata: func(r *room) *httptest.ResponseRecorder {
			return r.registerJSON(`{"redirect_uris":["` + loopback + `"],"client_name":"` + strings.Repeat("é", 101) + `"}`)
		},
		client.ErrDistrusted: func(r *room) *httptest.ResponseRecorder {
			h := r.documents(client.Trust{Hosts: []string{"claude.ai"}})
			return r.post("/token", renewal(h.id(), "fyr_x"))
		},
		client.ErrDocument: func(r *room) *httptest.ResponseRecorder {
			h := r.documents(client.Trust{})
			h.says(`["`+loopback+`"]`, `, "client_secret": "x"`)
			return r.post("/token", renewal(h.id(), "fyr_x"))
		},
		client.ErrUnavailable: func(r *room) *httptest.ResponseRecorder { // X34: no unknown client
			h := r.documents(client.Trust{})
			h.fails.Store(true)
			w := r.post("/token", renewal(h.id(), "fyr_x"))
			if w.Header().Get("Retry-After") == "" {
				r.t.Error("503 without Retry-After")
			}
			return w
		},
		grant.ErrCode: func(r *room) *httptest.ResponseRecorder {
			id := r.register("Test", loopback)
			code := r.code(id, loopback)
			r.advance(minute)
			return r.post("/token", redemption(id, loopback, code))
		},
		grant.ErrCodeUsed: func(r *room) *httptest.ResponseRecorder {
			id := r.register("Test", loopback)
			code := r.code(id, loopback)
			first := r.redeem(id, loopback, code)
			w := r.post("/token", redemption(id, loopback, code))
			if _, ok := r.works(first.access); ok {
				r.t.Error("R-46, X22: what the first redemption gave still works")
			}
			return w
		},
		grant.ErrResource: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			return r.post("/token", renewal(id, issued.refresh, "resource", issuer+"/other"))
		},
		grant.ErrScope: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			return r.post("/token", renewal(id, issued.refresh, "scope", "notes:write"))
		},
		grant.ErrAnswered: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			r.claim(issued.access, "jane@example.com")
			second := tokensIn(r.t, r.post("/token", renewal(id, issued.refresh)))
			w := r.post("/token", renewal(id, issued.refresh, "scope", "notes:write"))
			if again := tokensIn(r.t, r.post("/token", renewal(id, issued.refresh))); again != second {
				r.t.Error("after the refusal the repeat has another answer")
			}
			return w
		},
		grant.ErrUnknown: func(r *room) *httptest.ResponseRecorder {
			id, _ := r.guest()
			return r.post("/token", renewal(id, "fyr_unknown"))
		},
		grant.ErrRevoked: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			r.post("/revoke", url.Values{"client_id": {id}, "token": {issued.access}})
			return r.post("/token", renewal(id, issued.refresh))
		},
		grant.ErrReused: func(r *room) *httptest.ResponseRecorder {
			id, issued := r.guest()
			second := tokensIn(r.t, r.post("/token", renewal(id, issued.refresh)))
			tokensIn(r.t, r.post("/token", renewal(id, second.refresh)))
			w := r.post("/token", renewal(id, issued.refresh))
			if _, ok := r.works(second.access); ok {
				r.t.Error("R-59: reuse left a token at work")
			}
			return w
		},
		grant.ErrNotYours: func(r *room) *httptest.ResponseRecorder {
			_, issued := r.guest()
			return r.post("/revoke", url.Values{"client_id": {r.register("Other", loopback)}, "token": {issued.access}})
		},
	}
	for _, row := range refusals {
		cause, ok := causes[row.refusal]
		if !ok {
			t.Errorf("nothing here brings about %v", row.refusal)
			continue
		}
		r := newRoom(t, confidential)
		w := cause(r)
		body := object(t, w)
		if w.Code != row.status || body["error"] != row.words.Code || body["error_description"] != row.words.Description {
			t.Errorf("%v: %d %v", row.refusal, w.Code, body)
		}
		checkError(t, row.refusal.Error(), w)
		if r.log.String() != "" {
			t.Errorf("%v was logged as a fault: %s", row.refusal, r.log)
		}
	}
}

// elsewhere are sentinels that no handler of this package can meet.
var elsewhere = []string{
	"grant.ErrChanged",     // of Claim
	"grant.ErrGuest",       // of SignOut
	"grant.ErrElevated",    // of Elevate
	"grant.ErrNotElevated", // of Lower
	"grant.ErrNoUser",      // of SetRoles
	"grant.ErrRoles",       // of SetRoles
	"grant.ErrElevation",   // of Elevate
	"grant.ErrStale",       // of the account page
	"grant.ErrElsewhere",   // of the account page
	"grant.ErrLeaving",     // of Claim: a code is refused as one that was not issued
	"grant.ErrNotLeaving",  // of Keep
	"grant.ErrTooLate",     // of Keep and Export
}

func TestEverySentinelStandsInTheTable(t *testing.T) {
	for pkg, known := range map[string][]error{"client": nil, "grant": nil} {
		for _, row := range refusals {
			known = append(known, row.refusal)
		}
		for name, message := range sentinels(t, "../"+pkg) {
			name = pkg + "." + name
			in := slices.ContainsFunc(known, func(err error) bool { return err.Error() == message })
			if in == slices.Contains(elsewhere, name) {
				t.Errorf("%s: stands in refusals: %v, is an exception: %v", name, in, !in)
			}
		}
	}
}

// sentinels returns the exported errors of the package in dir, by name.
func sentinels(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if !strings.HasPrefix(name.Name, "Err") || i >= len(spec.Values) {
					continue
				}
				if call, ok := spec.Values[i].(*ast.CallExpr); ok && len(call.Args) == 1 {
					if text, ok := call.Args[0].(*ast.BasicLit); ok {
						found[name.Name] = strings.Trim(text.Value, `"`)
					}
				}
			}
			return true
		})
	}
	if len(found) < 3 {
		t.Fatalf("%s: only %d sentinels: is the scan broken?", dir, len(found))
	}
	return found
}

// A fault is logged once, and shown as what it is: nothing of the cause, and
// nothing of the request in the log. First the store of everything fails, then
// that of the grants alone.
func TestFaults(t *testing.T) {
	type request func(r *room, id, code string) *httptest.ResponseRecorder
	register := func(r *room, _, _ string) *httptest.ResponseRecorder {
		return r.registerJSON(`{"redirect_uris":["` + claude + `"]}`)
	}
	rest := map[string]request{
		"redeem": func(r *room, id, code string) *httptest.ResponseRecorder {
			return r.post("/token", redemption(id, loopback, code))
		},
		"refresh": func(r *room, id, code string) *httptest.ResponseRecorder {
			return r.post("/token", renewal(id, code))
		},
		"revoke": func(r *room, id, code string) *httptest.ResponseRecorder {
			return r.post("/revoke", url.Values{"client_id": {id}, "token": {code}})
		},
		"authorize": func(r *room, id, code string) *httptest.ResponseRecorder {
			return r.authorize(good(id, loopback, "state", code))
		},
	}
	check := func(name string, r *room, send request) {
		t.Helper()
		id := r.register("Test", loopback)
		code, err := r.Grants.Code(grant.Authorization{ClientID: id, RedirectURI: loopback, Resource: resource, CodeChallenge: challenge})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "grants alone") {
			r.store.Close()
		}
		w := send(r, id, code.Reveal())
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "store") || strings.Contains(w.Body.String(), "sql") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if strings.HasPrefix(name, "authorize") {
			if outcome(w) != "500 Something went wrong here" {
				t.Errorf("%s: %s", name, outcome(w))
			}
		} else if checkError(t, name, w); object(t, w)["error"] != "server_error" {
			t.Errorf("%s: %s", name, w.Body)
		}
		if log := r.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") || strings.Contains(log, id) || strings.Contains(log, code.Reveal()) {
			t.Errorf("%s: logged %q", name, log)
		}
	}
	check("register", newRoom(t), register)
	for name, send := range rest {
		check(name, newRoom(t), send)
		closed := newRoom(t)
		closed.store.Close()
		check(name+", of the grants alone", newRoom(t, func(cfg *Config) { cfg.Grants = closed.Grants }), send)
	}
}

// A client that hangs up is no fault of ours.
func TestWhoHangsUpIsNotLogged(t *testing.T) {
	r := newRoom(t)
	id, issued := r.guest()
	req := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(renewal(id, issued.refresh).Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, req.WithContext(ctx))
	if log := r.log.String(); log != "" {
		t.Errorf("logged %q", log)
	}
}
