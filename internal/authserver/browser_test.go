package authserver

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// the whole cookie, which only TLS may carry, and no page may read.
func TestTheCookie(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		before string
		after  string
	}{
		{"https", func(*Config) {}, "__Host-foyer=", "; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
		{"http on loopback, and only there, without the prefix", onLoopback, "foyer=", "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
	} {
		r := newRoom(t, test.change)
		w := r.authorize(good(r.register("Test", loopback), loopback, "resource", "-"))
		got := w.Header().Values("Set-Cookie")
		if len(got) != 1 || !strings.HasPrefix(got[0], test.before) || !strings.HasSuffix(got[0], test.after) ||
			len(got[0]) != len(test.before)+43+len(test.after) {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

func TestWhoGetsWhichCookie(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", loopback)
	value := func(headers ...string) string {
		w := r.authorize(good(id, loopback), headers...)
		if w.Code != http.StatusFound || len(w.Result().Cookies()) != 1 {
			t.Fatalf("%q: %d %v", headers, w.Code, w.Header())
		}
		return w.Result().Cookies()[0].Value
	}
	mine := value()
	for _, test := range []struct {
		name, header string
		kept         bool
	}{
		{"its own, set again so that it does not end before the record", "Cookie: __Host-foyer=" + mine, true},
		{"its own beside others", "Cookie: a=b; __Host-foyer=" + mine + "; c=d", true},
		{"none", "X-None: x", false},
		{"the name without the prefix, which a subdomain can plant", "Cookie: foyer=" + mine, false},
		{"an empty one", "Cookie: __Host-foyer=", false},
		{"a short one", "Cookie: __Host-foyer=" + mine[1:], false},
		{"a long one", "Cookie: __Host-foyer=" + strings.Repeat("a", 100_000), false},
		{"a garbled one", "Cookie: __Host-foyer=\x01\x02;;;=;\"", false},
	} {
		if got := value(test.header); (got == mine) != test.kept || len(got) != len(mine) {
			t.Errorf("%s: got %.100q, had %q", test.name, got, mine)
		}
	}
	if one, other := value(), value(); one == other {
		t.Error("two browsers got one cookie")
	}
}

// A page that leads nowhere leaves nothing in the browser.
func TestRefusalsSetNoCookie(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", loopback)
	for name, q := range map[string]url.Values{
		"an unknown client": good("client_X", loopback), "a wrong redirect URI": good(id, foreign), "a mistake": good(id, loopback, "code_challenge", "-"),
	} {
		if w := r.authorize(q); setCookie(w) != "" {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

// remembers returns which grant the store knows a browser's client by.
func (r *room) remembers(cookie, clientID string) (grantID string) {
	r.t.Helper()
	_, value, _ := strings.Cut(cookie, "=")
	r.update(func(ctx context.Context, tx store.Tx) error {
		b, err := tx.Browser(ctx, secret.HashOf(value), clientID)
		if err == store.ErrNotFound {
			return nil
		}
		grantID = b.GrantID
		return err
	})
	return grantID
}

// T57: after a claim, the same client in the same browser is asked for; nobody
// else is.
func TestT57NobodyBecomesAGuestInSilence(t *testing.T) {
	r := newRoom(t)
	id, other := r.register("Inspector", loopback, foreign, claude), r.register("Another", loopback)
	first := r.authorize(good(id, loopback))
	cookie := setCookie(first)
	user := r.redeem(id, loopback, codeIn(t, first.Header().Get("Location")))
	if got := outcome(r.authorize(good(id, loopback), cookie)); !strings.HasPrefix(got, "302 ") {
		t.Fatalf("an unclaimed grant interrupts: %s", got)
	}
	r.claim(user.access, "jane@example.com")

	const asks = "200 Continue as a guest? [button] -> the page that asks"
	for _, test := range []struct {
		name, client, uri string
		headers           []string
		want              string
	}{
		{"the same client is asked for", id, loopback, []string{cookie}, asks},
		{"at another port too", id, "http://127.0.0.1:9/callback", []string{cookie}, asks},
		{"with a redirect URI that is known", id, claude, []string{cookie}, asks},
		{"with one that nobody vouches for", id, foreign, []string{cookie}, asks},
		{"another client is not interrupted", other, loopback, []string{cookie}, "302 " + loopback + gives},
		{"without the cookie a guest at once", id, loopback, nil, "302 " + loopback + gives},
		{"with another cookie too", id, loopback, []string{setCookie(r.authorize(good(other, loopback)))}, "302 " + loopback + gives},
	} {
		if got := outcome(r.authorize(good(test.client, test.uri), test.headers...)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}

	page := r.authorize(good(id, foreign), cookie)
	for _, part := range []string{"“Inspector”", "Notes", "j***@example.com", "app.example"} {
		if !strings.Contains(page.Body.String(), part) {
			t.Errorf("the page does not name %s:\n%s", part, page.Body)
		}
	}
	if strings.Contains(page.Body.String(), "jane") {
		t.Error("the page shows the address to whoever sits there")
	}
	pressed := r.post("/authorize", url.Values{"request": {sealedIn(page)}}, cookie)
	guest := r.redeem(id, foreign, codeIn(t, strings.TrimPrefix(pressed.Header().Get("Refresh"), "0; url=")))
	if who, ok := r.works(guest.access); !ok || who != "" || guest.scope != "guest" {
		t.Errorf("T56: the button gave %q, %q", who, guest.scope)
	}
	if who, ok := r.works(user.access); !ok || who == "" {
		t.Error("the button ended the user's own grant")
	}
	if got := outcome(r.authorize(good(id, loopback), cookie)); got != "302 "+loopback+gives {
		t.Errorf("whoever has chosen to be a guest is asked again: %s", got)
	}
}

// T57: what ends a grant ends the question.
func TestTheQuestionEndsWithTheGrant(t *testing.T) {
	for name, end := range map[string]func(r *room, id string, user tokens){
		"signed out": func(r *room, _ string, user tokens) {
			if err := r.Grants.SignOut(context.Background(), secret.HashOf(user.access)); err != nil {
				r.t.Fatal(err)
			}
		},
		"revoked": func(r *room, id string, user tokens) {
			if w := r.post("/revoke", url.Values{"client_id": {id}, "token": {user.refresh}}); w.Code != http.StatusOK {
				r.t.Fatalf("%d %s", w.Code, w.Body)
			}
		},
		"expired": func(r *room, _ string, _ tokens) { r.advance(30 * day) },
	} {
		r := newRoom(t)
		id := r.register("Test", loopback)
		first := r.authorize(good(id, loopback))
		user := r.redeem(id, loopback, codeIn(t, first.Header().Get("Location")))
		r.claim(user.access, "jane@example.com")
		if got := outcome(r.authorize(good(id, loopback), setCookie(first))); !strings.HasPrefix(got, "200 ") {
			t.Fatalf("%s: before: %s", name, got)
		}
		end(r, id, user)
		if got := outcome(r.authorize(good(id, loopback), setCookie(first))); !strings.HasPrefix(got, "302 ") {
			t.Errorf("%s: still asked: %s", name, got)
		}
	}
}

// A drive-by: pages of others can open /authorize in this browser as often as
// they like, and can post to it. Until a code is redeemed that changes nothing,
// and what is redeemed for one client says nothing about another.
func TestADriveByChangesNothing(t *testing.T) {
	r := newRoom(t)
	id, evil := r.register("Inspector", loopback), r.register("Evil", foreign, loopback)
	first := r.authorize(good(id, loopback))
	cookie := setCookie(first)
	user := r.redeem(id, loopback, codeIn(t, first.Header().Get("Location")))
	r.claim(user.access, "jane@example.com")
	before := r.remembers(cookie, id)

	var code string
	for range 200 {
		w := r.authorize(good(id, loopback), cookie, "Sec-Fetch-Site: cross-site", "Referer: https://evil.example/")
		if sealedIn(w) == "" || setCookie(w) != cookie {
			t.Fatalf("opened from elsewhere: %s, %s", outcome(w), setCookie(w))
		}
		code = codeIn(t, r.authorize(good(evil, loopback), cookie).Header().Get("Location"))
		// A form of another site is posted without the cookie, because it is Lax.
		for _, headers := range [][]string{nil, {"Sec-Fetch-Site: cross-site"}, {"Origin: https://evil.example"}} {
			if w := r.post("/authorize", url.Values{"request": {"x"}}, headers...); w.Code != http.StatusForbidden || setCookie(w) != "" {
				t.Fatalf("posted from elsewhere: %d, and a new cookie %q, with which the browser forgets", w.Code, setCookie(w))
			}
		}
	}
	if r.remembers(cookie, evil) != "" || r.remembers(cookie, id) != before {
		t.Error("/authorize wrote before a redemption")
	}
	r.redeem(evil, loopback, code)
	if r.remembers(cookie, evil) == "" || r.remembers(cookie, id) != before {
		t.Error("another client's redemption changed what the browser knows of this one")
	}
	if got := outcome(r.authorize(good(id, loopback), cookie)); !strings.HasPrefix(got, "200 ") {
		t.Errorf("after the drive-by, a guest in silence: %s", got)
	}
	if who, ok := r.works(user.access); !ok || who == "" {
		t.Error("the drive-by ended the user's grant")
	}
}
