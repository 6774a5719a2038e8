package signin

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// paired are the link of the newest mail of g, and the pairing code of its chat.
func (r *room) paired(g guest) (link, pairing string) {
	r.t.Helper()
	c := r.challenge(g)
	token, ok := r.Keys.LinkToken(c.KeyID, c.ID)
	code, also := r.Keys.PairingCode(c.KeyID, c.ID)
	if !ok || !also {
		r.t.Fatal("no secret derives the link")
	}
	return token.Reveal(), code.Reveal()
}

func (r *room) answerLink(link, pairing string) (err error) {
	r.turn(func(s *SignIn) { _, err = s.VerifyLink(r.t.Context(), netip.Addr{}, link, pairing) })
	return err
}

// tr7, T14: however many answer at once, by the digits and by the link, one has signed
// in, and the others are told so.
func TestT14OfFiftyAnswersByDigitsAndLinkOneSucceeds(t *testing.T) {
	r := newRoom(t, unlimited)
	ways := map[string]int{}
	for round, g := range r.guests(r.rounds(40)) {
		right := r.asks(g, fmt.Sprintf("user%d@example.com", round))
		link, pairing := r.paired(g)
		errs := at(50, func(i int) error {
			if i%2 == 0 {
				return r.answer(g, right)
			}
			return r.answerLink(link, pairing)
		})
		won := count(errs, func(err error) bool { return err == nil })
		lost := count(errs, func(err error) bool { return errors.Is(err, ErrSignedIn) || errors.Is(err, grant.ErrChanged) })
		gr := r.grant(g)
		if won != 1 || lost != 49 || gr.Epoch != 2 || gr.UserID == "" || gr.Level != Level || r.challenge(g).State != used {
			t.Fatalf("round %d: %d have won, %d lost: %v, %+v", round, won, lost, errs, gr)
		}
		ways[gr.ApprovedBy]++
	}
	if r.way == "" && len(ways) != 2 {
		t.Errorf("only one way has ever won: %v", ways)
	}
}

// T05, T10: of racing wrong pairing codes three are compared, also where wrong digits
// race them; then the right one fails, and the digits with it.
func TestT05T10OfRacingWrongPairingCodesThreeAreCompared(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	link, pairing := r.paired(g)
	errs := at(50, func(int) error { return r.answerLink(link, "AAAA") })
	if n := count(errs, func(err error) bool { return errors.As(err, new(Wrong)) }); n != 2 || r.challenge(g).Attempts != attemptsByLink {
		t.Errorf("%d were told how many tries are left, %d were compared", n, r.challenge(g).Attempts)
	}
	if err := errors.Join(r.answerLink(link, pairing), r.answer(g, right)); !errors.Is(err, ErrExhausted) || r.grant(g).UserID != "" {
		t.Errorf("after them: %v", err)
	}
	g = r.guest()
	r.asks(g, "bob@example.com")
	link, pairing = r.paired(g)
	r.guesses(g, 3)
	if err := r.answerLink(link, pairing); !errors.Is(err, ErrExhausted) {
		t.Errorf("after three wrong digits: %v", err)
	}
	if err := r.answer(g, r.digits(r.challenge(g))); err != nil {
		t.Errorf("the digits have tries left: %v", err)
	}
}

// T16, tr7: by the link the access token crosses that has asked, and the family's newest
// refresh token. All others stay behind.
func TestT16ByTheLinkTheTokenCrossesThatHasAsked(t *testing.T) {
	r := newRoom(t)
	const resource = "https://notes.example/mcp"
	g := r.guest()
	before := g.pair
	refresh := func(token secret.Text) (grant.Issued, error) {
		return r.Grants.Refresh(t.Context(), grant.Renewal{RefreshToken: token, ClientID: "client"})
	}
	asking, err := refresh(before.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	g.Access = asking.Access.Hash()
	r.asks(g, "ann@example.com")
	link, pairing := r.paired(g)
	later, err := refresh(asking.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.answerLink(link, pairing); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token secret.Text
		works bool
	}{"the first": {before.Access, false}, "the one that asked": {asking.Access, true}, "the newest": {later.Access, false}} {
		b, err := r.Grants.Check(t.Context(), c.token.Reveal(), resource)
		if (err == nil) != c.works || c.works && (b.Grant.UserID == "" || !slices.Contains(b.Grant.Scopes, "notes:write")) {
			t.Errorf("%s access token: %+v, %v", name, b.Grant, err)
		}
	}
	if next, err := refresh(later.Refresh); err != nil || !slices.Contains(next.Scopes, "notes:write") {
		t.Errorf("the newest refresh token: %v, %v", next.Scopes, err)
	}
}

// A token that has gone meanwhile keeps nobody out: the refresh token crosses alone.
func TestByTheLinkOfATokenThatHasGoneTheRefreshTokenCrosses(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.asks(g, "ann@example.com")
	link, pairing := r.paired(g)
	c := r.challenge(g)
	c.Asker = 4711
	r.update(func(tx store.Tx) error { return tx.PutChallenge(t.Context(), c) })
	if err := r.answerLink(link, pairing); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Grants.Check(t.Context(), g.pair.Access.Reveal(), "https://notes.example/mcp"); !errors.Is(err, grant.ErrUnknown) {
		t.Errorf("an access token that did not ask: %v", err)
	}
	if next, err := r.Grants.Refresh(t.Context(), grant.Renewal{RefreshToken: g.pair.Refresh, ClientID: "client"}); err != nil || !slices.Contains(next.Scopes, "notes:write") {
		t.Errorf("the refresh token: %v, %v", next.Scopes, err)
	}
}

// T13, T31: a link and a pairing code are those of one challenge, of this server; what
// is muted has none that is right, and nobody is told.
func TestT13ALinkIsOfOneChallenge(t *testing.T) {
	r := newRoom(t)
	g, other := r.guest(), r.guest()
	r.asks(g, "ann@example.com")
	r.asks(other, "bob@example.com")
	link, pairing := r.paired(g)
	theirs, foreign := r.paired(other)
	id, _, _ := strings.Cut(link, ".")
	_, mac, _ := strings.Cut(theirs, ".")
	for _, forged := range []string{"", ".", id, id + "." + mac, link + "A", id + "." + strings.Repeat("A", 22)} {
		if err := r.answerLink(forged, pairing); !errors.Is(err, ErrNone) {
			t.Errorf("%q: %v", forged, err)
		}
	}
	if err := r.answerLink(link, foreign); foreign != pairing && !errors.As(err, new(Wrong)) {
		t.Errorf("the pairing code of another chat: %v", err)
	}
	muted := r.guest()
	r.asks(muted, "ann@example.com") // within the minute
	link, pairing = r.paired(muted)
	if err := r.answerLink(link, pairing); !r.challenge(muted).Muted || !errors.As(err, new(Wrong)) {
		t.Errorf("a link that nobody was mailed: %v", err)
	}
	r.restart(strings.Repeat("n", 32), theSecret)
	if err := r.answerLink(theirs, foreign); err != nil {
		t.Errorf("after a change of the secrets: %v", err)
	}
	r.restart(strings.Repeat("x", 32))
	g = r.guest()
	r.advance(time.Minute)
	r.asks(g, "eve@example.com")
	link, pairing = r.paired(g)
	r.restart(theSecret)
	if err := r.answerLink(link, pairing); !errors.Is(err, ErrNone) {
		t.Errorf("a link of a secret that is gone: %v", err)
	}
}

// A claim by the link is announced once it is in the store.
func TestAClaimByTheLinkIsAnnounced(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.asks(g, "ann@example.com")
	link, pairing := r.paired(g)
	if err := r.answerLink(link, "wrong"); !errors.As(err, new(Wrong)) {
		t.Fatal(err)
	}
	if err := r.answerLink(link, pairing); err != nil {
		t.Fatal(err)
	}
	ids, err := r.Grants.Changed(t.Context())
	if err != nil || !slices.Equal(ids, []string{g.GrantID}) || r.grant(g).UserID == "" {
		t.Errorf("%v, %v", ids, err)
	}
}

// Wrong pairing codes shut the sign-in as wrong digits do, from everywhere.
func TestT04WrongPairingCodesCountForEveryone(t *testing.T) {
	r := newRoom(t, countAddrs, unlimited)
	r.SignIn.NoLimits = false
	from := netip.MustParseAddr("192.0.2.7")
	for i, g := range r.guests(12) {
		r.asks(g, fmt.Sprintf("user%d@example.com", i))
		link, _ := r.paired(g)
		for range attemptsByLink {
			r.SignIn.VerifyLink(t.Context(), from, link, "AAAA") // each one is refused
		}
	}
	g := r.guest()
	r.asks(g, "ann@example.com")
	link, pairing := r.paired(g)
	if _, err := r.SignIn.VerifyLink(t.Context(), from, link, pairing); !errors.Is(err, ErrBusy) {
		t.Errorf("from an address with too many wrong ones: %v", err)
	}
	if _, err := r.SignIn.VerifyLink(t.Context(), netip.MustParseAddr("198.51.100.7"), link, pairing); err != nil {
		t.Errorf("from another: %v", err)
	}
}
