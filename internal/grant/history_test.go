package grant

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A world is what a history has brought about, as the design has it: told in
// events, where the rules look at records.
type world struct {
	*fixture
	*rapid.T
	families []*family
	guests   map[string]bool // every guest id that was ever seen
}

// A family is one grant and all pairs of tokens that it ever gave.
type family struct {
	code        secret.Text
	sealed      string // the secret that sealed it
	redeemed    time.Time
	pairs       []*pair // by generation; the last holds the current refresh token
	user, guest string
	epoch       int
	revoked     bool
	expires     time.Time
	end         time.Time
}

type pair struct {
	Issued
	expires                     time.Time // of the access token
	exchanged                   time.Time // when the refresh token first was
	used                        bool      // the access token
	cut                         []string  // what the refresh asked for; none for all
	by                          string    // the secret that derived it
	accessBehind, refreshBehind bool      // a claim or a sign-out took others along
}

// owner is whose data a caller sees.
func (fam *family) owner() string {
	if fam.user != "" {
		return fam.user
	}
	return fam.guest
}

func (fam *family) scopes() []string {
	if fam.user != "" {
		return everything
	}
	return []string{Guest}
}

// opens are the scopes of the access token of p.
func (fam *family) opens(p *pair) []string {
	return slices.DeleteFunc(slices.Clone(fam.scopes()), func(scope string) bool {
		return p.cut != nil && scope != Guest && !slices.Contains(p.cut, scope)
	})
}

func (fam *family) checks(p *pair, now time.Time) error {
	switch {
	case p.accessBehind, !now.Before(p.expires), !now.Before(fam.expires):
		return ErrUnknown
	case fam.revoked:
		return ErrRevoked
	}
	return nil
}

// lives says that the grant has just been refreshed, or has changed its owner.
func (fam *family) lives(now time.Time) {
	idle := life.GuestIdle
	if fam.user != "" {
		idle = life.Idle
	}
	fam.expires = earlier(now.Add(idle), fam.end)
}

// cross says that the access token of p made a call after which there is
// another owner.
func (fam *family) cross(p *pair, now time.Time) {
	for i, other := range fam.pairs {
		other.accessBehind = other.accessBehind || other != p
		other.refreshBehind = other.refreshBehind || i < len(fam.pairs)-1
	}
	fam.epoch++
	fam.lives(now)
}

// draw picks a generation of a grant, dead or alive. It sees to it that the
// newest grant lives.
func (w *world) draw() (*family, int) {
	last := len(w.families) - 1
	if fam := w.families[last]; fam.revoked || !w.now().Before(fam.expires) {
		w.begin()
		last++
	}
	fam := w.families[last-rapid.IntRange(0, min(last, 2)).Draw(w.T, "grants back")]
	back := rapid.SampledFrom([]int{0, 0, 0, 0, 1, 1, 2}).Draw(w.T, "generations back")
	return fam, max(len(fam.pairs)-1-back, 0)
}

func (w *world) begin() {
	fam := &family{code: w.code(), sealed: w.secrets[0], redeemed: w.now(), epoch: 1, end: w.now().Add(life.Absolute)}
	fam.lives(w.now())
	issued, err := w.Redeem(w.Context(), right(fam.code))
	if err != nil {
		w.Fatal(err)
	}
	fam.pairs = []*pair{{Issued: issued, expires: w.now().Add(issued.ExpiresIn)}}
	w.families = append(w.families, fam)
	w.meet(fam)
}

// meet notes the guest that a grant has now, who must be new.
func (w *world) meet(fam *family) {
	fam.guest = w.grant(fam.pairs[len(fam.pairs)-1].Refresh).GuestID
	if fam.guest == "" || w.guests[fam.guest] {
		w.Fatalf("guest %q was seen before", fam.guest)
	}
	w.guests[fam.guest] = true
}

func (w *world) replay() {
	fam, _ := w.draw()
	want := ErrCode
	if w.now().Before(fam.redeemed.Add(life.Code)) && slices.Contains(w.secrets, fam.sealed) {
		want, fam.revoked = ErrCodeUsed, true
	}
	if _, err := w.Redeem(w.Context(), right(fam.code)); err != want {
		w.Fatalf("Redeem error = %v, want %v", err, want)
	}
}

func (w *world) refresh() {
	fam, i := w.draw()
	p, now := fam.pairs[i], w.now()
	var next *pair
	if i < len(fam.pairs)-1 {
		next = fam.pairs[i+1]
	}
	inOverlap := now.Before(p.exchanged.Add(life.Overlap))
	asked := rapid.SampledFrom([][]string{nil, nil, nil, {"notes:write"}, {"notes:read"}, {"notes:read", "notes:write"}, {"notes:export", "notes:write"}}).Draw(w.T, "asked scopes")
	issued, err := w.narrow(p.Refresh, asked...)
	switch want := w.refreshes(fam, i, asked, inOverlap, now); {
	case err != want:
		w.Fatalf("Refresh error = %v, want %v", err, want)
	case err == ErrReused:
		fam.revoked = true
	case err != nil:
	case next == nil:
		p.exchanged = now
		next = &pair{Issued: issued, expires: now.Add(issued.ExpiresIn), cut: asked, by: w.secrets[0]}
		fam.pairs = append(fam.pairs, next)
		fam.lives(now)
	case issued.Pair != next.Pair:
		w.Fatal("two families: the same refresh token has two successors")
	default:
		if !next.used {
			p.exchanged = now // and so an overlap begins
		}
		if !inOverlap {
			fam.lives(now)
			next.expires = earlier(now.Add(life.Access), fam.expires)
		}
		if lives := next.expires.Sub(now); issued.ExpiresIn != lives {
			w.Fatalf("in the overlap: %v; the answer lives %v more, want %v", inOverlap, issued.ExpiresIn, lives)
		}
	}
	if err == nil && !slices.Equal(issued.Scopes, fam.opens(next)) {
		w.Fatalf("scopes %v, want %v", issued.Scopes, fam.opens(next))
	}
	if err == nil && asked != nil && !within(issued.Scopes, append(slices.Clone(asked), Guest)) {
		w.Fatalf("scopes %v of a refresh that asked for %v", issued.Scopes, asked)
	}
}

// refreshes is what a request with the refresh token of generation i deserves.
func (w *world) refreshes(fam *family, i int, asked []string, inOverlap bool, now time.Time) error {
	last := len(fam.pairs) - 1
	switch err := fam.takes(i, inOverlap, now); {
	case err != nil:
		return err
	case !within(asked, fam.scopes()):
		return ErrScope
	case i == last:
		return nil
	case !slices.Contains(w.secrets, fam.pairs[last].by): // nobody can derive the answer again
		return ErrUnknown
	case asked != nil && !within(fam.opens(fam.pairs[last]), append(slices.Clone(asked), Guest)):
		return ErrAnswered
	}
	return nil
}

// takes is what the refresh token of generation i deserves, whatever is asked.
func (fam *family) takes(i int, inOverlap bool, now time.Time) error {
	last := len(fam.pairs) - 1
	switch {
	case !now.Before(fam.expires):
		return ErrUnknown
	case fam.revoked:
		return ErrRevoked
	case i == last:
		return nil
	case i < last-1, !inOverlap && fam.pairs[last].used:
		return ErrReused
	case fam.pairs[i].refreshBehind:
		return ErrUnknown
	}
	return nil
}

func (w *world) use() {
	fam, i := w.draw()
	p := fam.pairs[i]
	b, err := w.check(p.Access)
	if want := fam.checks(p, w.now()); err != want {
		w.Fatalf("Check error = %v, want %v", err, want)
	}
	if err == nil {
		p.used = true
		w.see(fam, p, b)
	}
}

// see expects that a working token shows what is its grant's, and no more.
func (w *world) see(fam *family, p *pair, b store.Bearer) {
	owner := b.Grant.GuestID
	if b.User.ID != "" {
		owner = b.User.ID
	}
	if owner != fam.owner() || b.Grant.UserID != b.User.ID || !slices.Equal(b.Grant.Scopes, fam.scopes()) || !slices.Equal(Scopes(b.Token, b.Grant), fam.opens(p)) {
		w.Fatalf("a working token of %q shows %+v of %q", fam.owner(), b.Grant, b.User.ID)
	}
}

func (w *world) claimAs() {
	fam, i := w.draw()
	user := rapid.SampledFrom([]string{"ann", "bob", "cy"}).Draw(w.T, "user")
	epoch := fam.epoch - rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2}).Draw(w.T, "proof from how many epochs ago")
	p := fam.pairs[i]
	may := fam.checks(p, w.now()) == nil && fam.user == "" && epoch == fam.epoch
	err := w.claim(p.Access, user, epoch, "notes:read", "notes:write")
	if may != (err == nil) || err != nil && err != ErrChanged && err != ErrUnknown && err != ErrRevoked {
		w.Fatalf("Claim error = %v, and it may: %v", err, may)
	}
	if err == nil {
		fam.user = user
		fam.cross(p, w.now())
	}
}

func (w *world) signOut() {
	fam, i := w.draw()
	p := fam.pairs[i]
	want := fam.checks(p, w.now())
	if want == nil && fam.user == "" {
		want = ErrGuest
	}
	if err := w.SignOut(w.Context(), p.Access.Hash()); err != want {
		w.Fatalf("SignOut error = %v, want %v", err, want)
	}
	if want == nil {
		fam.user = ""
		fam.cross(p, w.now())
		w.meet(fam)
	}
}

func (w *world) revoke() {
	fam, i := w.draw()
	p, now := fam.pairs[i], w.now()
	h, ends := p.Refresh.Hash(), !p.refreshBehind && now.Before(fam.expires)
	if rapid.Bool().Draw(w.T, "by the access token") {
		h, ends = p.Access.Hash(), !p.accessBehind && now.Before(p.expires) && now.Before(fam.expires)
	}
	if err := w.Revoke(w.Context(), client, h); err != nil {
		w.Fatal(err)
	}
	fam.revoked = fam.revoked || ends
}

func (w *world) revokeAsAnother() {
	fam, i := w.draw()
	if err := w.Revoke(w.Context(), "c2", fam.pairs[i].Refresh.Hash()); err != nil && err != ErrNotYours {
		w.Fatal(err)
	}
}

func (w *world) pass() {
	w.wait(rapid.SampledFrom([]time.Duration{time.Second, 29 * time.Second, 29 * time.Second, time.Minute,
		10 * time.Minute, 10 * time.Minute, time.Hour, 23 * time.Hour, 29 * day}).Draw(w.T, "time"))
}

func (w *world) reopen() {
	w.restart(rapid.SampledFrom([][]string{w.secrets, {oldSecret, newSecret}, {newSecret, oldSecret}, {newSecret}, {oldSecret}}).Draw(w.T, "secrets")...)
}

// holds expects, after each event, that the records say what has happened, and
// that exactly the tokens work that should.
func (w *world) holds() {
	now := w.now()
	for n, fam := range w.families {
		current := 0
		for i, p := range fam.pairs {
			r, err := w.store.Bearer(w.Context(), p.Refresh.Hash())
			if errors.Is(err, store.ErrNotFound) && !now.Before(fam.expires) {
				continue // cleared away
			} else if err != nil {
				w.Fatal(err)
			}
			if r.Token.Generation == r.Grant.Generation && r.Token.Epoch == r.Grant.Epoch {
				current++
			}
			a, err := w.store.Bearer(w.Context(), p.Access.Hash())
			if errors.Is(err, store.ErrNotFound) && !now.Before(p.expires) {
				continue
			} else if err != nil {
				w.Fatal(err)
			}
			err = checkAccess(a.Token, a.Grant, now)
			if want := fam.checks(p, now); err != want {
				w.Fatalf("grant %d, access token %d: %v, want %v", n, i, err, want)
			}
			if err == nil {
				w.see(fam, p, a)
			}
			gr := a.Grant
			got := fmt.Sprint(gr.UserID, gr.GuestID, gr.Epoch, gr.Generation, !gr.RevokedAt.IsZero(), gr.Expires)
			want := fmt.Sprint(fam.user, fam.guest, fam.epoch, len(fam.pairs), fam.revoked, fam.expires)
			if got != want {
				w.Fatalf("grant %d is %s, want %s", n, got, want)
			}
		}
		if current > 1 {
			w.Fatalf("grant %d has %d current refresh tokens", n, current)
		}
	}
}

var events = map[string]func(*world){
	"a guest comes": (*world).begin, "a code returns": (*world).replay, "a client refreshes": (*world).refresh,
	"a token is used": (*world).use, "somebody claims": (*world).claimAs, "somebody signs out": (*world).signOut,
	"a client revokes": (*world).revoke, "another client revokes": (*world).revokeAsAnother,
	"time passes": (*world).pass, "the server restarts": (*world).reopen,
	"what has expired goes": func(w *world) { w.collect() },
}

// often says which events happen more than the others.
var often = []string{"a client refreshes", "a client refreshes", "a client refreshes", "a client refreshes", "a token is used",
	"a token is used", "somebody claims", "somebody claims", "somebody claims", "somebody signs out", "somebody signs out", "time passes", "time passes"}

func TestT20NoHistoryMixesOwners(t *testing.T) {
	f := newFixture(t)
	names := slices.Concat(often, slices.Sorted(maps.Keys(events)))
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{fixture: f, T: rt, guests: map[string]bool{}}
		w.begin()
		for range 40 {
			events[rapid.SampledFrom(names).Draw(rt, "event")](w)
			w.holds()
		}
	})
}
