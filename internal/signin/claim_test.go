package signin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

func TestT13ACodeOpensOnlyTheGrantThatAskedForIt(t *testing.T) {
	r := newRoom(t, unlimited)
	const n = 20
	guests := r.guests(n)
	var right []string
	for i, g := range guests {
		right = append(right, r.asks(g, fmt.Sprintf("user%d@example.com", i)))
	}
	same := 0
	for i, g := range guests {
		for j, digits := range right {
			if i == j {
				continue
			}
			if digits == right[i] { // once in a million
				same++
				continue
			}
			r.forgive(g)
			if err := r.answer(g, digits); !errors.As(err, new(Wrong)) {
				t.Errorf("the code of grant %d on grant %d: %v", j, i, err)
			}
		}
	}
	if same > n {
		t.Errorf("%d pairs of grants have the same digits", same/2)
	}
	for i, g := range guests {
		r.forgive(g)
		if u := r.answers(g, right[i]); u.Email != fmt.Sprintf("user%d@example.com", i) {
			t.Errorf("grant %d belongs to %s", i, u.Email)
		}
	}
}

func TestT14TwoAddressesAreNeverExpectedAtOnce(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	ann := r.asks(g, "ann@example.com")
	bob := r.asks(g, "bob@example.com")
	if sent := r.flush(); len(sent) != 1 || sent[0].To.String() != "bob@example.com" {
		t.Errorf("mails: %v; the first challenge is dead", sent)
	}
	if err := r.answer(g, ann); ann != bob && !errors.As(err, new(Wrong)) {
		t.Errorf("the digits of the first address: %v", err)
	}
	if u := r.answers(g, bob); u.Email != "bob@example.com" {
		t.Errorf("the grant is %s's", u.Email)
	}
}

// Each round races two claims of one grant with the same right digits.
func TestT14OfTwoRacingClaimsOneWins(t *testing.T) {
	r := newRoom(t, unlimited)
	for round, g := range r.guests(r.rounds(200)) {
		right := r.asks(g, fmt.Sprintf("user%d@example.com", round))
		errs := at(2, func(int) error { return r.answer(g, right) })
		won := count(errs, func(err error) bool { return err == nil })
		lost := count(errs, func(err error) bool { return errors.Is(err, ErrSignedIn) || errors.Is(err, grant.ErrChanged) })
		if gr := r.grant(g); won != 1 || lost != 1 || gr.Epoch != 2 || gr.UserID == "" {
			t.Fatalf("round %d: %v, epoch %d", round, errs, gr.Epoch)
		}
	}
}

func TestT14AClaimAndASignOutRace(t *testing.T) {
	r := newRoom(t, unlimited)
	seen := map[string]int{}
	for round, g := range r.guests(r.rounds(150)) {
		right := r.asks(g, fmt.Sprintf("user%d@example.com", round))
		before := r.grant(g)
		errs := at(2, func(i int) error {
			if i == 0 {
				return r.answer(g, right)
			}
			return r.Grants.SignOut(t.Context(), g.Access)
		})
		after := r.grant(g)
		switch {
		case errs[0] == nil && errors.Is(errs[1], grant.ErrGuest): // nobody was signed in yet
			if after.UserID == "" || after.Epoch != 2 || after.GuestID != before.GuestID {
				t.Fatalf("round %d: claimed, but %+v", round, after)
			}
			seen["claimed"]++
		case errs[0] == nil && errs[1] == nil:
			if after.UserID != "" || after.Epoch != 3 || after.GuestID == before.GuestID || after.Level != "" || !slices.Equal(after.Scopes, []string{grant.Guest}) {
				t.Fatalf("round %d: claimed and signed out, but %+v", round, after)
			}
			if err := r.answer(g, right); !errors.Is(err, ErrNone) {
				t.Fatalf("round %d: the digits again, after the sign-out: %v", round, err)
			}
			seen["signed out"]++
		default:
			t.Fatalf("round %d: %v", round, errs)
		}
	}
	if seen["claimed"] == 0 && r.way == "" { // the others have too few rounds to tell
		t.Errorf("in no round the claim came last: %v", seen)
	}
}

func TestT14AClaimAndARefreshRace(t *testing.T) {
	r := newRoom(t, unlimited)
	for round, g := range r.guests(r.rounds(150)) {
		right := r.asks(g, fmt.Sprintf("user%d@example.com", round))
		var issued grant.Issued
		errs := at(2, func(i int) (err error) {
			if i == 0 {
				return r.answer(g, right)
			}
			issued, err = r.Grants.Refresh(t.Context(), grant.Renewal{RefreshToken: g.pair.Refresh, ClientID: "client"})
			return err
		})
		if errs[0] != nil || errs[1] != nil {
			t.Fatalf("round %d: %v", round, errs)
		}
		// Whoever came first, the family goes on, and belongs to the user.
		next, err := r.Grants.Refresh(t.Context(), grant.Renewal{RefreshToken: issued.Refresh, ClientID: "client"})
		if err != nil || !slices.Contains(next.Scopes, "notes:write") {
			t.Fatalf("round %d: the next refresh: %v, %v", round, next.Scopes, err)
		}
		if b, err := r.Grants.Check(t.Context(), next.Access.Reveal(), "https://notes.example/mcp"); err != nil || b.Grant.UserID == "" {
			t.Fatalf("round %d: %+v, %v", round, b, err)
		}
	}
}

func TestT15AClaimedGrantAsksForNoCode(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	r.answers(g, right)
	before := r.grant(g)
	if err := r.begin(g, "bob@example.com"); !errors.Is(err, ErrSignedIn) {
		t.Errorf("asking for another: %v", err)
	}
	if err := r.answer(g, right); !errors.Is(err, ErrSignedIn) {
		t.Errorf("answering again: %v", err)
	}
	// Even with a pending challenge, however it came there.
	r.update(func(tx store.Tx) error {
		return tx.PutChallenge(t.Context(), store.Challenge{ID: "planted", GrantID: g.GrantID, Epoch: before.Epoch, Email: "bob@example.com",
			Digits: digits, KeyID: r.Keys.KeyID(), State: pending, Created: r.now, Expires: r.now.Add(day)})
	})
	if err := r.answer(g, r.digits(r.challenge(g))); !errors.Is(err, ErrSignedIn) {
		t.Errorf("the digits of a planted challenge: %v", err)
	}
	if after := r.grant(g); after.UserID != before.UserID || after.Epoch != before.Epoch {
		t.Errorf("the grant changed: %+v", after)
	}
}

func TestT17NothingIsKeptForAnAddressBeforeItIsProven(t *testing.T) {
	r := newRoom(t)
	attacker := r.guest()
	r.asks(attacker, "victim@example.com")
	r.guesses(attacker, 2)
	for table, values := range r.dump() {
		if table == "foyer_users" && len(values) > 0 {
			t.Errorf("a user before the claim: %v", values)
		}
		for _, v := range values {
			if table != "foyer_challenges" && strings.Contains(v, "victim@") {
				t.Errorf("%s has the address: %q", table, v)
			}
		}
	}
	victim := r.guest()
	r.advance(time.Minute)
	u := r.answers(victim, r.asks(victim, "victim@example.com"))
	if u.Created != r.now {
		t.Errorf("the user was made at %v, before the claim", u.Created)
	}
	if gr := r.grant(attacker); gr.UserID != "" || gr.KnownUserID != "" {
		t.Errorf("the attacker's grant is %+v", gr)
	}
	if err := r.guesses(attacker, 1); !errors.As(err, new(Wrong)) {
		t.Errorf("the attacker is told of the claim: %v", err)
	}
}

func TestT17ARefusedClaimMakesNoUser(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	r.update(func(tx store.Tx) error {
		gr, err := tx.Grant(t.Context(), g.GrantID)
		gr.RevokedAt = r.now
		return errors.Join(err, tx.PutGrant(t.Context(), gr))
	})
	if err := r.answer(g, right); !errors.Is(err, grant.ErrRevoked) {
		t.Errorf("a revoked grant: %v", err)
	}
	if users := r.dump()["foyer_users"]; len(users) > 0 {
		t.Errorf("users: %v", users)
	}
	if err := r.begin(g, "ann@example.com"); !errors.Is(err, grant.ErrRevoked) {
		t.Errorf("asking on a revoked grant: %v", err)
	}
	stranger := guest{Asker: Asker{Access: store.Hash{1}}}
	if err := errors.Join(r.begin(stranger, "ann@example.com"), r.answer(stranger, right)); !errors.Is(err, grant.ErrUnknown) {
		t.Errorf("a token that nobody issued: %v", err)
	}
}

func TestT20TheNextUserGetsNothingOfTheLast(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	owners := []string{r.grant(g).GuestID}
	signIn := func(address string) {
		t.Helper()
		owners = append(owners, r.answers(g, r.asks(g, address)).ID)
		if err := r.Grants.SignOut(t.Context(), g.Access); err != nil {
			t.Fatal(err)
		}
		gr := r.grant(g)
		if gr.UserID != "" || gr.Level != "" || gr.ApprovedBy != "" || !gr.AuthTime.IsZero() || !slices.Equal(gr.Scopes, []string{grant.Guest}) {
			t.Errorf("after the sign-out the grant is %+v", gr)
		}
		owners = append(owners, gr.GuestID)
		if _, pending, err := r.Pending(t.Context(), g.GrantID); pending || err != nil {
			t.Errorf("after the sign-out digits are expected: %v, %v", pending, err)
		}
		r.advance(time.Minute)
	}
	signIn("ann@example.com")
	signIn("bob@example.com")
	signIn("ann@example.com")
	if owners[1] != owners[5] || owners[1] == owners[3] {
		t.Errorf("who owned what was kept: %v", owners)
	}
	guests := []string{owners[0], owners[2], owners[4], owners[6]}
	slices.Sort(guests)
	if len(slices.Compact(guests)) != 4 {
		t.Errorf("a guest came back: %v", owners)
	}
}

func TestT20ASignOutEndsWhatWasAskedBefore(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.answers(g, r.asks(g, "ann@example.com"))
	if err := r.Grants.SignOut(t.Context(), g.Access); err != nil {
		t.Fatal(err)
	}
	right := r.asks(g, "bob@example.com")
	gr := r.grant(g)
	r.update(func(tx store.Tx) error { // as another claim and sign-out would
		gr.Epoch++
		tok, err := tx.Token(t.Context(), g.Access)
		tok.Epoch++
		return errors.Join(err, tx.PutGrant(t.Context(), gr), tx.PutToken(t.Context(), tok))
	})
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("a mail of the last epoch went out: %v", sent)
	}
	if err := r.answer(g, right); !errors.Is(err, ErrNone) {
		t.Errorf("digits of the last epoch: %v", err)
	}
}

// Whatever a transcript shows later is worth nothing.
func TestT62DigitsFromATranscriptOpenNothing(t *testing.T) {
	r := newRoom(t)
	g, other := r.guest(), r.guest()
	used := r.asks(g, "ann@example.com")
	r.answers(g, used)
	if err := r.answer(g, used); !errors.Is(err, ErrSignedIn) {
		t.Errorf("used digits while signed in: %v", err)
	}
	if err := r.Grants.SignOut(t.Context(), g.Access); err != nil {
		t.Fatal(err)
	}
	if err := r.answer(g, used); !errors.Is(err, ErrNone) {
		t.Errorf("used digits after the sign-out: %v", err)
	}
	if err := r.answer(other, used); !errors.Is(err, ErrNone) {
		t.Errorf("used digits on another grant: %v", err)
	}
	expired := r.asks(other, "bob@example.com")
	r.advance(10 * time.Minute)
	if err := r.answer(other, expired); !errors.Is(err, ErrExpired) {
		t.Errorf("expired digits: %v", err)
	}
	superseded := r.asks(other, "bob@example.com")
	r.advance(time.Minute)
	if now := r.asks(other, "bob@example.com"); now != superseded {
		if err := r.answer(other, superseded); !errors.As(err, new(Wrong)) {
			t.Errorf("superseded digits: %v", err)
		}
	}
}
