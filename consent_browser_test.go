package foyer

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"example.com/foyer/internal/chromium"
)

// A person with a keyboard signs in and allows what a client asks for, on a phone and
// on a desk; the browser then goes on to the client by itself.
func TestAPersonConsentsByKeyboard(t *testing.T) {
	for _, width := range []int64{320, 1280} {
		h := newHouse(t)
		came := make(chan url.Values, 1)
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/callback" {
				came <- r.URL.Query()
			}
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<h1>Connected</h1><title>The app</title>"))
		}))
		t.Cleanup(app.Close)
		var registered struct {
			ID string `json:"client_id"`
		}
		redirect := app.URL + "/callback"
		h.postJSON(t, "/register", `{"client_name":"A diary helper with quite a long name","redirect_uris":["`+redirect+`"]}`, http.StatusCreated, &registered)
		query := url.Values{"response_type": {"code"}, "client_id": {registered.ID}, "redirect_uri": {redirect}, "code_challenge": {challenge},
			"code_challenge_method": {"S256"}, "scope": {"journal:write journal:export"}, "state": {"xyz"}}
		b := chromium.Open(t, width, h.issuer+"/authorize?"+query.Encode())
		b.Shows("h1", "Sign in to Journal")
		name := map[int64]string{320: "phone", 1280: "desk"}[width]
		b.Picture("connect-" + name)
		b.Types("ann@example.com\r")
		b.Shows("h1", "Look into your mail")
		b.Types(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
		b.Shows("h1", "use Journal?")
		b.Picture("consent-" + name)
		b.Types("\t\t \t\r") // ticks the second box, too, and presses Allow
		b.Shows("h1", "Connected")
		q := <-came
		if q.Get("state") != "xyz" || q.Get("iss") != h.issuer || q.Get("code") == "" {
			t.Fatalf("the client was sent %v", q)
		}
		status, told := h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {registered.ID}, "code": {q.Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
		if status != http.StatusOK || told["scope"] != "guest journal:export journal:write" {
			t.Errorf("%d %v", status, told)
		}
		h.advance(15 * time.Minute) // and the app comes back for a sign-in of just now
		b.Goes(h.issuer + "/authorize?" + query.Encode() + "&max_age=600")
		b.Shows("h1", "Sign in again")
		b.Picture("connect-again-" + name)
		b.Types("ann@example.com\r")
		b.Shows("h1", "Look into your mail")
		b.Types(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
		b.Shows("h1", "use Journal?")
	}
}
