package foyer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/foyer/mail"
)

// A postbox keeps the newest mail to each address.
type postbox struct {
	mu     sync.Mutex
	newest map[string]string
}

func (p *postbox) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.newest == nil {
		p.newest = map[string]string{}
	}
	p.newest[m.To.String()] = m.Text
	return nil
}

func (p *postbox) read(address string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newest[address]
}

// works fails t unless the guest's access token opens what is a user's.
func (g *guest) works(t testing.TB, when string) {
	t.Helper()
	if a := g.call(t, "list_entries", ""); a.status != http.StatusOK || a.isError {
		t.Errorf("%s: list_entries: %d %s", when, a.status, a.raw)
	}
}

func TestTenClientsThatSignInAtOnceSeeOnlyTheirOwnEntries(t *testing.T) {
	h := newHouse(t)
	var signedIn atomic.Int32
	atOnce(10, func(i int) {
		g := h.guest(t)
		g.signIn(t, fmt.Sprintf("user%d@example.com", i))
		own := fmt.Sprintf("Entry of number %d", i)
		if a := g.call(t, "create_entry", `{"title":"`+own+`","content":"Mine."}`); a.isError {
			t.Errorf("create_entry: %s", a.raw)
		}
		a := g.call(t, "list_entries", "")
		if a.data["total"] != 1.0 || !strings.Contains(a.raw, own) {
			t.Errorf("number %d sees %s", i, a.raw)
		}
		if who := g.call(t, "whoami", ""); who.text != "Signed in as u***@example.com." {
			t.Errorf("number %d is %s", i, who.text)
		}
		signedIn.Add(1)
	})
	if signedIn.Load() != 10 {
		t.Errorf("%d of 10 signed in", signedIn.Load())
	}
}

func TestTheSixthAnswerFailsOverHTTPThoughItIsRight(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	right := g.digits(t, "ann@example.com")
	for left := 4; left >= 0; left-- {
		a := g.call(t, "validate_token", `{"code":"`+wrong(right)+`"}`)
		if !a.isError || a.status != http.StatusOK || left > 0 && a.data["tries_left"] != float64(left) {
			t.Fatalf("with %d tries left: %d %s", left, a.status, a.raw)
		}
	}
	if a := g.call(t, "validate_token", `{"code":"`+right+`"}`); !a.isError {
		t.Errorf("the sixth answer: %s", a.raw)
	}
	if a := g.call(t, "list_entries", ""); !a.isError {
		t.Errorf("a guest lists: %s", a.raw)
	}
	h.advance(61 * time.Second)
	g.signIn(t, "ann@example.com")
}

// wrong returns digits that are not right, and as many.
func wrong(right string) string {
	last := right[len(right)-1]
	return right[:len(right)-1] + string('0'+(last-'0'+1)%10)
}

// Two of the grants are for one address: it is the grant that counts.
func TestT13DigitsOpenOnlyTheirOwnGrantOverHTTP(t *testing.T) {
	h := newHouse(t)
	addresses := []string{"ann@example.com", "ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"}
	guests, digits := make([]*guest, len(addresses)), make([]string, len(addresses))
	for i, address := range addresses {
		guests[i] = h.guest(t)
		digits[i] = guests[i].digits(t, address)
		h.advance(61 * time.Second) // for the next mail to the same address
	}
	alike := 0
	for i, g := range guests {
		for j, code := range digits {
			if i == j {
				continue
			}
			if code == digits[i] { // once in a million
				alike++
				continue
			}
			if a := g.call(t, "validate_token", `{"code":"`+code+`"}`); !a.isError {
				t.Errorf("the digits of grant %d opened grant %d: %s", j, i, a.raw)
			}
		}
	}
	if alike > 2 {
		t.Errorf("grants share digits: %q", digits)
	}
	for i, g := range guests {
		if a := g.call(t, "validate_token", `{"code":"`+digits[i]+`"}`); a.isError {
			t.Errorf("the digits of grant %d do not open it: %s", i, a.raw)
		}
		if a := g.call(t, "validate_token", `{"code":"`+digits[i]+`"}`); strings.HasPrefix(a.text, "Signed in as") {
			t.Errorf("the digits of grant %d opened it twice: %s", i, a.raw)
		}
	}
}

func TestOfTwoRacingRightAnswersOneSignsInEveryTime(t *testing.T) {
	const walkers, rounds = 4, 50
	box := &postbox{}
	h := newHouse(t, func(cfg *Config) { cfg.Mail, cfg.DangerouslyNoLimits = box, true })
	var all atomic.Int32
	atOnce(walkers, func(i int) {
		g, address := h.guest(t), fmt.Sprintf("user%d@example.com", i)
		for range rounds {
			if a := g.call(t, "authenticate", `{"email":"`+address+`"}`); a.isError {
				t.Errorf("authenticate: %s", a.raw)
				return
			}
			h.flush(t)
			code := digitsIn(t, box.read(address))
			answers := make([]answer, 2)
			atOnce(2, func(n int) { answers[n] = g.call(t, "validate_token", `{"code":"`+code+`"}`) })
			successes := 0
			for _, a := range answers {
				if a.status != http.StatusOK {
					t.Errorf("a racing answer: %d %s", a.status, a.raw)
				}
				if strings.HasPrefix(a.text, "Signed in as") {
					successes++
				}
			}
			if successes != 1 {
				t.Errorf("%d of 2 answers signed in: %v", successes, answers)
			}
			g.works(t, "after the race")
			if a := g.call(t, "logout", ""); a.isError {
				t.Errorf("logout: %s", a.raw)
			}
			all.Add(1)
		}
	})
	if all.Load() != walkers*rounds {
		t.Errorf("%d rounds were played", all.Load())
	}
}

func TestT47TwentyRacingRedemptionsHaveOneWinnerWhoLosesItsGrant(t *testing.T) {
	h := newHouse(t)
	client := h.guest(t).client
	for range 8 {
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {h.code(t, client)},
			"redirect_uri": {redirectURI}, "code_verifier": {verifier}}
		var mu sync.Mutex
		var won []map[string]any
		atOnce(20, func(int) {
			status, body := h.token(t, form)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case status == http.StatusOK:
				won = append(won, body)
			case status != http.StatusBadRequest || body["error"] != "invalid_grant":
				t.Errorf("a loser is told %d %v", status, body)
			}
		})
		if len(won) != 1 {
			t.Fatalf("%d of 20 redemptions won", len(won))
		}
		if a := h.callAs(t, won[0]["access_token"].(string), "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("the token of a code that was used twice: %d %s", a.status, a.raw)
		}
		g := &guest{house: h, client: client}
		if status, body := g.refreshed(t, won[0]["refresh_token"].(string)); status != http.StatusBadRequest {
			t.Errorf("its refresh token: %d %v", status, body)
		}
	}
}

func TestT48TwentyRacingRefreshesGetOnePairAndLeaveOneFamily(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	for range 8 {
		var mu sync.Mutex
		pairs := map[string]int{}
		var access, refresh string
		atOnce(20, func(int) {
			status, body := g.refreshed(t, g.refresh)
			mu.Lock()
			defer mu.Unlock()
			if status != http.StatusOK {
				t.Errorf("a racing refresh: %d %v", status, body)
				return
			}
			access, refresh = body["access_token"].(string), body["refresh_token"].(string)
			pairs[access+" "+refresh]++
		})
		if len(pairs) != 1 {
			t.Fatalf("20 refreshes got %d pairs", len(pairs))
		}
		g.access, g.refresh = access, refresh
		g.works(t, "after 20 refreshes")
	}
	if n := h.count(t, "SELECT count(*) FROM foyer_tokens JOIN foyer_grants g ON g.id = grant_id WHERE kind = 'refresh' AND foyer_tokens.generation = g.generation"); n != 1 {
		t.Errorf("%d refresh tokens are current, want 1", n)
	}
}

func TestT48ARefreshTokenThatComesBackEndsTheGrantAndMailsTheUser(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	stolen, before := g.refresh, g.access
	g.renew(t)
	g.works(t, "after a refresh")
	h.kit.grants.Close() // until it is noted that the new token was used
	h.advance(59 * time.Second)
	if status, body := g.refreshed(t, stolen); status != http.StatusOK || body["refresh_token"] != g.refresh {
		t.Errorf("within the overlap: %d, want the same pair", status)
	}
	h.advance(2 * time.Second)
	if status, body := g.refreshed(t, stolen); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("after the overlap: %d %v", status, body)
	}
	for name, token := range map[string]string{"the newest": g.access, "the one before": before} {
		if a := h.callAs(t, token, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("%s access token still works: %d %s", name, a.status, a.raw)
		}
	}
	if status, body := g.refreshed(t, g.refresh); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("the owner's refresh token: %d %v", status, body)
	}
	if text := h.mail(t, "ann@example.com"); !strings.Contains(text, "ended the connection for everyone") || strings.Contains(text, stolen) {
		t.Errorf("the mail says\n%s", text)
	}
}

func TestT48TwoWindowsThatRefreshAfterAClaimBothStaySignedInOverHTTP(t *testing.T) {
	h := newHouse(t)
	one := h.guest(t)
	two := &guest{house: h, client: one.client, access: one.access, refresh: one.refresh}
	one.signIn(t, "ann@example.com")
	two.works(t, "the other window, with the same token")
	h.advance(59 * time.Minute)
	atOnce(2, func(i int) { []*guest{one, two}[i].renew(t) })
	for range 2 {
		one.works(t, "the first window")
		two.works(t, "the second window")
		h.advance(59 * time.Minute)
		one.renew(t)
		two.renew(t)
	}
}

// Whoever holds a token that a claim did not take along, by a refresh before it
// or from a shared configuration, gets nothing of the user's.
func TestT16WhoStaysBehindAtAClaimStaysOutside(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	digits := g.digits(t, "ann@example.com")
	calling := *g
	g.renew(t)
	if a := calling.call(t, "validate_token", `{"code":"`+digits+`"}`); a.isError {
		t.Fatalf("validate_token: %s", a.raw)
	}
	calling.works(t, "the access token of the claim")
	if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("the access token of a refresh before the claim: %d %s", a.status, a.raw)
	}
	if status, body := g.refreshed(t, calling.refresh); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("the refresh token from before: %d %v", status, body)
	}
	calling.works(t, "and nobody was signed out by that")
	g.renew(t)
	g.works(t, "the refresh token that crossed")
}

// A client that refreshes while its user signs in, or out, holds the pair of
// that refresh afterwards. At worst its access token was left behind, and its
// refresh token gets it another.
func TestAClaimOrASignOutThatRacesARefreshLeavesWorkingTokens(t *testing.T) {
	box := &postbox{}
	h := newHouse(t, func(cfg *Config) { cfg.Mail, cfg.DangerouslyNoLimits = box, true })
	atOnce(4, func(i int) {
		g, address := h.guest(t), fmt.Sprintf("user%d@example.com", i)
		for range 12 {
			if a := g.call(t, "authenticate", `{"email":"`+address+`"}`); a.isError {
				t.Errorf("authenticate: %s", a.raw)
				return
			}
			h.flush(t)
			code := digitsIn(t, box.read(address))
			g.raceRefresh(t, "validate_token", `{"code":"`+code+`"}`, "Signed in as u***@example.com.")
			g.works(t, "after a claim that raced a refresh")
			g.raceRefresh(t, "logout", "", "Nobody is signed in")
			if a := g.call(t, "list_entries", ""); !a.isError {
				t.Errorf("after a sign-out that raced a refresh: %s", a.raw)
			}
		}
	})
}

// raceRefresh calls tool while it refreshes, and finds that whoami says who.
func (g *guest) raceRefresh(t testing.TB, tool, arguments, who string) {
	t.Helper()
	calling := *g // with the tokens from before
	var a answer
	atOnce(2, func(i int) {
		if i == 0 {
			g.renew(t)
		} else {
			a = calling.call(t, tool, arguments)
		}
	})
	if a.isError || a.status != http.StatusOK {
		t.Errorf("%s: %d %s", tool, a.status, a.raw)
	}
	is := g.call(t, "whoami", "")
	if is.status == http.StatusUnauthorized {
		g.renew(t)
		is = g.call(t, "whoami", "")
	}
	if !strings.HasPrefix(is.text, who) {
		t.Errorf("after %s: %d %s, want %q", tool, is.status, is.raw, who)
	}
	if is := calling.call(t, "whoami", ""); !strings.HasPrefix(is.text, who) { // its access token crossed
		t.Errorf("the caller of %s: %d %s, want %q", tool, is.status, is.raw, who)
	}
}

// Whoever else comes and goes, a guest's list stays a guest's and a user's a
// user's, and each call is decided alike.
func TestListsAndCallsUnderLoadKnowOnlyTheirOwnGrant(t *testing.T) {
	box := &postbox{}
	h := newHouse(t, func(cfg *Config) { cfg.Mail, cfg.DangerouslyNoLimits = box, true })
	visitor, user := h.guest(t), h.guest(t)
	signIn := func(g *guest, address string) {
		if a := g.call(t, "authenticate", `{"email":"`+address+`"}`); a.isError {
			t.Errorf("authenticate: %s", a.raw)
			return
		}
		h.flush(t)
		if a := g.call(t, "validate_token", `{"code":"`+digitsIn(t, box.read(address))+`"}`); a.isError {
			t.Errorf("validate_token: %s", a.raw)
		}
	}
	signIn(user, "ann@example.com")
	user.call(t, "create_entry", `{"title":"Of Ann","content":"Hers."}`)
	var done atomic.Bool
	var looked [2]atomic.Int32
	var coming sync.WaitGroup
	coming.Go(func() {
		defer done.Store(true)
		other := h.guest(t)
		for i := range 12 {
			signIn(other, fmt.Sprintf("other%d@example.com", i))
			other.call(t, "create_entry", `{"title":"Of others","content":"Not hers."}`)
			other.call(t, "logout", "")
		}
	})
	atOnce(4, func(i int) {
		g, locked := []*guest{visitor, user}[i%2], i%2 == 0
		for !done.Load() {
			if status, list := g.post(t, "tools/list", ""); status != http.StatusOK || strings.Contains(list, `"reason":"sign_in"`) != locked {
				t.Errorf("list: locked should be %v: %d %s", locked, status, list)
				return
			}
			a := g.call(t, "list_entries", "")
			if a.status != http.StatusOK || a.isError != locked || !locked && (a.data["total"] != 1.0 || strings.Contains(a.raw, "Of others")) {
				t.Errorf("call: locked should be %v: %d %s", locked, a.status, a.raw)
				return
			}
			looked[i%2].Add(1)
		}
	})
	coming.Wait()
	if looked[0].Load() < 5 || looked[1].Load() < 5 {
		t.Errorf("only %d and %d looks", looked[0].Load(), looked[1].Load())
	}
}
