package authserver

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// RFC 7009 section 2, K27, X18: who may end what.
func TestRevoke(t *testing.T) {
	type held struct {
		*room
		id, other string
		tokens
	}
	for _, test := range []struct {
		name string
		form func(r held) url.Values
		want string
		ends bool
	}{
		{"the refresh token", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {r.refresh}} }, "200", true},
		{"the access token ends the whole grant", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {r.access}} }, "200", true},
		{"a wrong hint", func(r held) url.Values {
			return url.Values{"client_id": {r.id}, "token": {r.access}, "token_type_hint": {"refresh_token"}}
		}, "200", true},
		{"an unknown hint", func(r held) url.Values {
			return url.Values{"client_id": {r.id}, "token": {r.access}, "token_type_hint": {"saml"}}
		}, "200", true},
		{"an unknown token", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {"fyr_unknown"}} }, "200", false},
		{"half of one", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {r.refresh[:20]}} }, "200", false},
		{"bytes", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {"\x00\xff"}} }, "200", false},
		{"another client's token (K27)", func(r held) url.Values { return url.Values{"client_id": {r.other}, "token": {r.refresh}} }, "401 unauthorized_client", false},
		{"another client's access token (K27)", func(r held) url.Values { return url.Values{"client_id": {r.other}, "token": {r.access}} }, "401 unauthorized_client", false},
		{"an unknown client", func(r held) url.Values { return url.Values{"client_id": {"client_X"}, "token": {r.refresh}} }, "401 invalid_client", false},
		{"no client", func(r held) url.Values { return url.Values{"token": {r.refresh}} }, "400 invalid_request", false},
		{"no token", func(r held) url.Values { return url.Values{"client_id": {r.id}} }, "400 invalid_request", false},
		{"an empty token", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {""}} }, "400 invalid_request", false},
		{"two tokens", func(r held) url.Values { return url.Values{"client_id": {r.id}, "token": {r.refresh, r.access}} }, "400 invalid_request", false},
		{"a secret", func(r held) url.Values {
			return url.Values{"client_id": {r.id}, "token": {r.refresh}, "client_secret": {"s"}}
		}, "401 invalid_client", false},
		{"too much", func(r held) url.Values {
			return url.Values{"client_id": {r.id}, "token": {r.refresh}, "x": {strings.Repeat("x", maxForm)}}
		}, "413 invalid_request", false},
	} {
		r := newRoom(t)
		id, issued := r.guest()
		w := r.post("/revoke", test.form(held{r, id, r.register("Other", loopback), issued}))
		got := fmt.Sprint(w.Code)
		if body := object(t, w); body["error"] != nil {
			got += fmt.Sprint(" ", body["error"])
			checkError(t, test.name, w)
		}
		if got != test.want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, want %s; %v", test.name, got, test.want, w.Header())
		}
		if _, works := r.works(issued.access); works == test.ends {
			t.Errorf("%s: the access token works: %v", test.name, works)
		}
		if refreshed := r.post("/token", renewal(id, issued.refresh)).Code == http.StatusOK; refreshed == test.ends {
			t.Errorf("%s: the refresh token works: %v", test.name, refreshed)
		}
	}
}

// Asked again, the answer is the same: there is nothing left to revoke.
func TestRevokeTwice(t *testing.T) {
	r := newRoom(t)
	id, issued := r.guest()
	for range 3 {
		if w := r.post("/revoke", url.Values{"client_id": {id}, "token": {issued.refresh}}); w.Code != http.StatusOK || w.Body.String() != "{}\n" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if w := r.send(http.MethodPost, "/revoke?client_id="+id+"&token="+issued.refresh, ""); w.Code != http.StatusBadRequest {
		t.Errorf("a token in the query: %d", w.Code)
	}
}
