package grant

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A diligent client follows the protocol: its windows share what they store, each
// refreshes only when the access token ends soon, sends what was stored when it
// began, gives up a request within the overlap, and stores what it is answered.
// Answers get lost; it tries again.
type diligent struct {
	*fixture
	*rapid.T
	stored  Issued
	ends    time.Time // of the stored access token
	windows [3]window
	epoch   int
	user    string
	lost    bool // an answer is, so that the stored refresh token is not the family's newest
}

type window struct {
	sending Issued // what was stored when it began to refresh; zero while it does not
	since   time.Time
}

func (d *diligent) idle() bool {
	for _, w := range d.windows {
		if w.sending.Refresh.Reveal() != "" {
			return false
		}
	}
	return true
}

// begin has a window read what is stored, to refresh it.
func (d *diligent) begin() {
	w := &d.windows[rapid.IntRange(0, len(d.windows)-1).Draw(d.T, "window")]
	if w.sending.Refresh.Reveal() == "" && !d.now().Before(d.ends.Add(-5*time.Minute)) {
		*w = window{d.stored, d.now()}
	}
}

// send has each window that has begun send its request, unless it waits longer;
// its answer may be lost.
func (d *diligent) send() {
	for i := range d.windows {
		w := &d.windows[i]
		if w.sending.Refresh.Reveal() == "" || rapid.IntRange(0, 3).Draw(d.T, "waits") == 0 {
			continue
		}
		d.finish(w)
	}
}

func (d *diligent) finish(w *window) {
	sent := w.sending
	w.sending = Issued{}
	asked := rapid.SampledFrom([][]string{nil, nil, {"notes:write"}}).Draw(d.T, "asked scopes")
	if d.user == "" {
		asked = nil
	}
	issued, err := d.narrow(sent.Refresh, asked...)
	if err == ErrAnswered { // another window has asked for all: so does this one
		issued, err = d.renew(sent.Refresh)
	}
	if err != nil {
		d.Fatalf("a diligent client is signed out: %v", err)
	}
	if rapid.IntRange(0, 2).Draw(d.T, "lost") == 0 {
		d.lost = d.lost || d.stored.Refresh == sent.Refresh
		return
	}
	if d.stored.Refresh == sent.Refresh || d.stored.Pair == issued.Pair {
		d.stored, d.ends, d.lost = issued, d.now().Add(issued.ExpiresIn), false
	}
}

// use calls with the stored access token, which works to its end.
func (d *diligent) use() {
	b, err := d.check(d.stored.Access)
	if d.now().Before(d.ends) && (err != nil || b.User.ID != d.user) {
		d.Fatalf("the stored access token is %q's, %v; want %q's to %v", b.User.ID, err, d.user, d.ends)
	}
}

// cross signs somebody in or out, in a quiet moment: what crosses with the call is
// the newest refresh token, and a client that has lost that has lost the grant.
func (d *diligent) cross() {
	if d.lost || !d.idle() || !d.now().Before(d.ends) {
		return
	}
	if d.user == "" {
		if err := d.claim(d.stored.Access, "ann", d.epoch, "notes:read", "notes:write"); err != nil {
			d.Fatalf("Claim: %v", err)
		}
		d.user = "ann"
	} else {
		if err := d.SignOut(d.Context(), d.stored.Access.Hash()); err != nil {
			d.Fatalf("SignOut: %v", err)
		}
		d.user = ""
	}
	d.epoch++
}

// pass lets time go by. Who waits for an answer does not wait out the overlap.
func (d *diligent) pass() {
	for i := range d.windows {
		if w := &d.windows[i]; w.sending.Refresh.Reveal() != "" && d.now().Sub(w.since) > 20*time.Second {
			d.finish(w)
		}
	}
	step := rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, 20 * time.Second, 10 * time.Minute, time.Hour, 5 * time.Hour}).Draw(d.T, "time")
	if !d.idle() {
		step = min(step, 20*time.Second)
	}
	d.wait(step)
}

// However answers get lost and windows cross each other, with the server started
// anew, its secrets changed, and what has expired cleared away at any moment,
// nobody is signed out who did not sign out.
func TestT48NoLostAnswerAndNoOtherWindowSignsAClientOut(t *testing.T) {
	f := newFixture(t)
	rapid.Check(t, func(rt *rapid.T) {
		d := &diligent{fixture: f, T: rt, epoch: 1}
		d.stored = f.start()
		d.ends = f.now().Add(d.stored.ExpiresIn)
		born := f.now()
		acts := map[string]func(){
			"a window begins to refresh": d.begin, "requests arrive": d.send, "a call": d.use, "somebody signs in or out": d.cross,
			"time passes": d.pass, "what has expired goes": f.collect,
			"the server restarts": func() {
				f.restart(rapid.SampledFrom([][]string{f.secrets, {oldSecret, newSecret}, {newSecret, oldSecret}}).Draw(rt, "secrets")...)
			},
		}
		names := append(slices.Repeat([]string{"a call", "a call", "a window begins to refresh", "a window begins to refresh", "a window begins to refresh",
			"requests arrive", "requests arrive", "time passes", "time passes", "time passes", "somebody signs in or out",
			"what has expired goes"}, 2), "the server restarts")
		for i := range 60 {
			if last := f.now().Sub(born); last > 20*day {
				break
			}
			name := rapid.SampledFrom(names).Draw(rt, fmt.Sprint("act ", i))
			acts[name]()
			if f.revoked(d.stored.Refresh) {
				rt.Fatal("the grant was revoked")
			}
			if f.now().Sub(d.ends) > 12*time.Hour { // it was away for long enough: the grant of a guest is idle for a day at most
				d.windows = [3]window{{d.stored, f.now()}}
				d.finish(&d.windows[0])
			}
		}
		if d.idle() {
			d.windows[0] = window{d.stored, f.now()}
		}
		for i := range d.windows {
			if d.windows[i].sending.Refresh.Reveal() != "" {
				d.finish(&d.windows[i])
			}
		}
	})
}
