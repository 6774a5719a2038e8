package foyer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

const (
	deskSecret = "0123456789abcdef0123456789abcdef-desk"
	nextSecret = "fedcba9876543210fedcba9876543210-next"
)

func helpDesk(secrets ...string) func(*Config) {
	return func(cfg *Config) {
		cfg.Clients = []Client{{ID: "desk", Name: "The Help Desk", RedirectURIs: []string{redirectURI}, Secrets: secrets}}
	}
}

// asDesk posts a form as the client desk.
func (h *house) asDesk(t testing.TB, path, secret string, form url.Values) int {
	t.Helper()
	r := h.form(t, path, form)
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("desk:"+secret)))
	res := h.send(t, r)
	res.Body.Close()
	return res.StatusCode
}

// a client of the configuration goes through the whole story, the mail
// calls it by its name, and no record is made of it.
func TestAClientOfTheConfigurationFinishesTheStory(t *testing.T) {
	h := newHouse(t, helpDesk(deskSecret))
	g := &guest{house: h, client: "desk"}
	status, body := h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {"desk"}, "client_secret": {deskSecret},
		"code": {h.code(t, "desk")}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}})
	if status != http.StatusOK {
		t.Fatalf("/token: %d %v", status, body)
	}
	g.access, g.refresh = body["access_token"].(string), body["refresh_token"].(string)
	g.signIn(t, "ann@example.com")
	if letter := g.mail(t, "ann@example.com"); !strings.Contains(letter, "The Help Desk") {
		t.Errorf("the mail does not name the client:\n%s", letter)
	}
	if a := g.call(t, "whoami", ""); a.isError || !strings.Contains(a.text, "Signed in as") {
		t.Errorf("whoami: %s", a.text)
	}
	if n := h.count(t, "SELECT count(*) FROM foyer_clients"); n != 0 {
		t.Errorf("%d records of clients", n)
	}
	if status, body := g.refreshed(t, g.refresh); status != http.StatusUnauthorized || body["error"] != "invalid_client" {
		t.Errorf("without the secret: %d %v", status, body)
	}
	if status := h.asDesk(t, "/revoke", deskSecret, url.Values{"token": {g.refresh}}); status != http.StatusOK {
		t.Errorf("/revoke: %d", status)
	}
	if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("after that: %d %s", a.status, a.raw)
	}
}

// A secret is replaced without a moment in which neither is good. Whoever takes
// the client away ends what it got.
func TestAClientsSecretIsReplaced(t *testing.T) {
	secrets := []string{deskSecret}
	gone := false
	h := newHouse(t, func(cfg *Config) {
		if helpDesk(secrets...)(cfg); gone {
			cfg.Clients = nil
		}
	})
	refresh := ""
	_, body := h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {"desk"}, "client_secret": {deskSecret},
		"code": {h.code(t, "desk")}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}})
	refresh, _ = body["refresh_token"].(string)
	for _, step := range []struct {
		name    string
		secrets []string
		gone    bool
		works   map[string]bool
	}{
		{"the first alone", []string{deskSecret}, false, map[string]bool{deskSecret: true, nextSecret: false}},
		{"both", []string{deskSecret, nextSecret}, false, map[string]bool{deskSecret: true, nextSecret: true}},
		{"the next alone", []string{nextSecret}, false, map[string]bool{deskSecret: false, nextSecret: true}},
		{"no client", nil, true, map[string]bool{deskSecret: false, nextSecret: false}},
	} {
		secrets, gone = step.secrets, step.gone
		h.restart()
		for secret, works := range step.works {
			status := h.asDesk(t, "/token", secret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
			if (status == http.StatusOK) != works || !works && status != http.StatusUnauthorized {
				t.Errorf("%s: %d, want it to work: %v", step.name, status, works)
			}
		}
	}
}

// Neither the secrets of clients nor their hashes are in the store, in the log or
// in an answer.
func TestAClientsSecretIsNowhere(t *testing.T) {
	h := newHouse(t, helpDesk(deskSecret))
	for _, secret := range []string{deskSecret, deskSecret + "x"} {
		h.asDesk(t, "/token", secret, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"fyr_x"}})
	}
	for _, file := range h.files(t) {
		if strings.Contains(file.text, deskSecret) {
			t.Errorf("%s has the secret", file.name)
		}
	}
	if strings.Contains(h.log.String(), deskSecret) {
		t.Error("the log has the secret")
	}
}

// registerFrom registers a client from a client address.
func (h *house) registerFrom(t testing.TB, addr, name string, headers ...string) (status int, id string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.issuer+"/register", strings.NewReader(`{"client_name":"`+name+`","redirect_uris":["`+redirectURI+`"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", addr)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res := h.send(t, r)
	defer res.Body.Close()
	var body struct {
		ID string `json:"client_id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body.ID
}

func behindProxy(cfg *Config) {
	cfg.DangerouslyExemptLoopback = false
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// T33, client rule (j): a thousand registrations from one address stop no other
// address, and the database stays bounded.
func TestT33AThousandRegistrationsFromOneAddressStopNobody(t *testing.T) {
	const most = 64
	h := newHouse(t, behindProxy, func(cfg *Config) { cfg.Registration.Max = most })
	refused := 0
	for i := range 1000 {
		if status, _ := h.registerFrom(t, "192.0.2.66", fmt.Sprint("spam ", i)); status == http.StatusTooManyRequests {
			refused++
		} else if status != http.StatusCreated {
			t.Fatalf("registration %d: %d", i, status)
		}
	}
	if refused != 980 {
		t.Errorf("%d of 1000 were refused, want 980", refused)
	}
	g := h.registeredFrom(t, "198.51.100.7")
	g.signIn(t, "ann@example.com")

	for i := range 1000 { // and as many from fifty addresses
		if status, _ := h.registerFrom(t, fmt.Sprintf("203.0.113.%d", i%50), fmt.Sprint("more spam ", i)); status != http.StatusCreated {
			t.Fatalf("registration %d of fifty addresses: %d", i, status)
		}
	}
	if n := h.count(t, "SELECT count(*) FROM foyer_clients WHERE last_used = 0"); n > most {
		t.Errorf("%d unused clients are stored, want at most %d", n, most)
	}
	if n := h.count(t, "SELECT count(*) FROM foyer_clients"); n > most+1 {
		t.Errorf("%d clients are stored, want at most %d", n, most+1)
	}
	g.works(t, "a client that was used before the flood")
	g.renew(t)
	h.registeredFrom(t, "198.51.100.8").signIn(t, "bob@example.com")
}

// registeredFrom is a guest whose client registered from addr.
func (h *house) registeredFrom(t testing.TB, addr string) *guest {
	t.Helper()
	status, id := h.registerFrom(t, addr, "Honest "+addr)
	if status != http.StatusCreated {
		t.Fatalf("registration from %s: %d", addr, status)
	}
	g := &guest{house: h, client: id}
	g.access, g.refresh = h.redeem(t, id, h.code(t, id))
	return g
}

// The switches of registration, through the kit.
func TestRegistrationIsForWhomTheOperatorSays(t *testing.T) {
	token := strings.Repeat("invited-", 4)
	h := newHouse(t, func(cfg *Config) { cfg.Registration.InitialAccessTokens = []string{token} })
	for header, want := range map[string]int{"": http.StatusUnauthorized, "Bearer x": http.StatusUnauthorized, "Bearer " + token: http.StatusCreated} {
		if status, _ := h.registerFrom(t, "192.0.2.1", "App", "Authorization", header); status != want {
			t.Errorf("%q: %d, want %d", header, status, want)
		}
	}
	h = newHouse(t, func(cfg *Config) { cfg.Registration.Off = true })
	if status, _ := h.registerFrom(t, "192.0.2.1", "App"); status != http.StatusNotFound {
		t.Errorf("off: %d", status)
	}
}
