package mcpgate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/secret"
)

const allLists = `{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}}`

var allChanged = []string{"notifications/prompts/list_changed", "notifications/resources/list_changed", "notifications/tools/list_changed"}

// hears opens a stream in a version of the protocol, and waits until it is there.
func (r *room) hears(t testing.TB, ctx context.Context, version, token string) stream {
	t.Helper()
	if version != modern {
		s := r.initialize(t, "/mcp", version, token).get(t, ctx, token)
		s.ready(t)
		return s
	}
	s := r.listen(t, ctx, token, allLists)
	if ack, ok := s.next(t); !ok || ack.Method != "notifications/subscriptions/acknowledged" {
		t.Fatalf("%+v", ack)
	}
	return s
}

// ready waits for the comment that begins the stream of a session.
func (s stream) ready(t testing.TB) {
	t.Helper()
	if !s.lines.Scan() || !strings.HasPrefix(s.lines.Text(), ":") {
		t.Fatalf("the stream begins %q", s.lines.Text())
	}
}

// heard returns the next n events, in order of their names.
func (s stream) heard(t testing.TB, n int) []string {
	t.Helper()
	var names []string
	for range n {
		e, ok := s.next(t)
		if !ok {
			break
		}
		names = append(names, e.Method)
	}
	slices.Sort(names)
	return names
}

// rest ends everything and returns what came before the end.
func (r *room) rest(t testing.TB, streams ...stream) (names []string) {
	t.Helper()
	r.gate.EndAll()
	for _, s := range streams {
		for e, ok := s.next(t); ok; e, ok = s.next(t) {
			if e.Result == nil {
				names = append(names, e.Method)
			}
		}
	}
	return names
}

// changed claims or signs out, as the rules do it, and says so.
func (r *room) changed(t testing.TB, token string, change func()) {
	t.Helper()
	change()
	r.grants.Announce(r.grantOf(t, token))
}

// A claim is heard once on each stream of its own grant, of either kind, in every
// version, and never on another's. A sign-out is, too.
func TestAClaimIsHeardOnceOnItsOwnStreamsAlone(t *testing.T) {
	for _, version := range append(sessionVersions, modern) {
		t.Run(version, func(t *testing.T) {
			r := newRoom(t)
			ctx := patient(t)
			one, other := r.guest(), r.guest()
			first, second, others := r.hears(t, ctx, version, one), r.hears(t, ctx, modern, one), r.hears(t, ctx, version, other)
			r.changed(t, one, func() { r.claim(one, "write") })
			for _, s := range []stream{first, second} {
				if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
					t.Errorf("of the claim: %v", got)
				}
			}
			r.changed(t, one, func() {
				if err := r.grants.SignOut(t.Context(), secret.HashOf(one)); err != nil {
					t.Fatal(err)
				}
			})
			for _, s := range []stream{first, second} { // had the claim come twice, this were its second time
				if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
					t.Errorf("of the sign-out: %v", got)
				}
			}
			r.grants.Announce(r.grantOf(t, one)) // with nothing that differs
			r.changed(t, other, func() { r.claim(other, "write", "export") })
			if got := others.heard(t, 3); !slices.Equal(got, allChanged) {
				t.Errorf("the other grant's stream brings first %v", got)
			}
			r.changed(t, one, func() { r.claimAgain(t, one) })
			for _, s := range []stream{first, second} {
				if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
					t.Errorf("of the second claim: %v", got)
				}
			}
			if more := r.rest(t, first, second, others); len(more) > 0 || ctx.Err() != nil {
				t.Errorf("and then %v, %v", more, ctx.Err())
			}
		})
	}
}

// claimAgain claims a grant that was signed out.
func (r *room) claimAgain(t testing.TB, token string) {
	t.Helper()
	b, err := r.store.Bearer(t.Context(), secret.HashOf(token))
	if err != nil {
		t.Fatal(err)
	}
	r.claimAt(token, b.Grant.Epoch, "write")
}

// Each subscriptions/listen hears what it asked for, under its own ID.
func TestAStreamHearsWhatItAskedFor(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	token := r.guest()
	s := r.listen(t, ctx, token, `{"notifications":{"promptsListChanged":true}}`)
	if ack, ok := s.next(t); !ok || ack.Params.Notifications.Tools {
		t.Fatalf("%+v", ack)
	}
	r.changed(t, token, func() { r.claim(token, "write") })
	e, ok := s.next(t)
	if !ok || e.Method != "notifications/prompts/list_changed" || fmt.Sprint(e.Params.Meta["io.modelcontextprotocol/subscriptionId"]) != "7" {
		t.Errorf("%+v", e)
	}
	r.changed(t, token, func() {
		if err := r.grants.SignOut(t.Context(), secret.HashOf(token)); err != nil {
			t.Fatal(err)
		}
	})
	if e, ok := s.next(t); !ok || e.Method != "notifications/prompts/list_changed" {
		t.Errorf("%+v", e)
	}
}

// What changes nothing in a list is no news: more scope that no item asks for.
func TestNoNewsWhereNoListDiffers(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	token := r.guest()
	s := r.hears(t, ctx, modern, token)
	r.changed(t, token, func() { r.claim(token, "write") })
	s.heard(t, 3)
	for range 3 {
		r.gate.LookAt(ctx, r.grantOf(t, token))
	}
	r.changed(t, token, func() {
		if err := r.grants.SignOut(t.Context(), secret.HashOf(token)); err != nil {
			t.Fatal(err)
		}
	})
	if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
		t.Errorf("after news of nothing: %v", got)
	}
	if more := r.rest(t, s); len(more) > 0 || ctx.Err() != nil {
		t.Errorf("and then %v, %v", more, ctx.Err())
	}
}

// A revocation ends every session and stream of its grant, and no other's.
func TestARevocationEndsWhatIsOpen(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	one, other := r.guest(), r.guest()
	streams := []stream{r.hears(t, ctx, older, one), r.hears(t, ctx, modern, one)}
	r.initialize(t, "/mcp", "2025-06-18", one) // without a stream
	r.hears(t, ctx, older, other)
	r.hears(t, ctx, modern, other)
	r.open(t, 3, 4)
	if err := r.grants.Revoke(ctx, "c1", secret.HashOf(one)); err != nil {
		t.Fatal(err)
	}
	r.open(t, 1, 2)
	for _, s := range streams {
		if e, ok := s.next(t); ok && e.Result["resultType"] != "complete" || ctx.Err() != nil {
			t.Errorf("%+v, %v", e, ctx.Err())
		}
	}
}

// A token that a claim leaves behind takes its streams along; the grant's
// session stays, for the token that crossed.
func TestAStreamOfATokenThatStaysBehindEnds(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	issued := r.issue(resource)
	shared := issued.Access.Reveal()
	current := r.refresh(t, issued).Access.Reveal()
	behind := r.hears(t, ctx, modern, shared)
	s := r.initialize(t, "/mcp", older, current)
	r.changed(t, current, func() { r.claim(current, "write") })
	if e, ok := behind.next(t); ok && e.Result["resultType"] != "complete" || ctx.Err() != nil {
		t.Errorf("%+v, %v", e, ctx.Err())
	}
	r.open(t, 1, 0)
	if a := s.ask(t, current, "tools/call", `{"name":"signed_in"}`); len(a.ran) != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// News about a resource stops when its reader may not read it any more, in a
// session that subscribed to it, and in a stream that was promised it.
func TestNewsAboutAResourceStopsWithTheRightToReadIt(t *testing.T) {
	for _, version := range []string{older, modern} {
		t.Run(version, func(t *testing.T) {
			r := newRoom(t)
			ctx := patient(t)
			token := r.user("write")
			var s stream
			if version == modern {
				s = r.listen(t, ctx, token, `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["room://anyone","room://signed_in"]}}`)
				s.next(t)
			} else {
				session := r.initialize(t, "/mcp", version, token)
				for _, uri := range []string{"room://anyone", "room://signed_in"} {
					if a := session.ask(t, token, "resources/subscribe", `{"uri":"`+uri+`"}`); a.rpc.Error != nil {
						t.Fatalf("%s", a.body)
					}
				}
				s = session.get(t, ctx, token)
				s.ready(t)
			}
			update := func(uris ...string) {
				for _, uri := range uris {
					if err := r.server.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: uri}); err != nil {
						t.Fatal(err)
					}
				}
			}
			update("room://signed_in")
			if e, ok := s.next(t); !ok || e.Params.URI != "room://signed_in" {
				t.Fatalf("%+v", e)
			}
			r.changed(t, token, func() {
				if err := r.grants.SignOut(ctx, secret.HashOf(token)); err != nil {
					t.Fatal(err)
				}
			})
			for e, ok := s.next(t); e.Method != "notifications/tools/list_changed"; e, ok = s.next(t) {
				if !ok {
					t.Fatal("no news of the sign-out")
				}
			}
			update("room://signed_in", "room://anyone")
			for {
				e, ok := s.next(t)
				if !ok || e.Params.URI == "room://signed_in" {
					t.Fatalf("a guest hears %+v", e)
				}
				if e.Params.URI == "room://anyone" {
					break
				}
			}
		})
	}
}

// Subscribing to what one may not read is refused, as reading it is.
func TestASessionSubscribesToWhatItsCallerMayRead(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	for uri, want := range map[string]bool{"room://anyone": true, "room://signed_in": false, "room://hidden": false, "room://nobody": false, "room://anyone/vault": false} {
		a := s.ask(t, token, "resources/subscribe", `{"uri":"`+uri+`"}`)
		if (a.rpc.Error == nil && a.status < 400) != want || slices.Contains(a.ran, "subscribe") != want {
			t.Errorf("%s: %d, ran %v: %s", uri, a.status, a.ran, a.body)
		}
	}
}

// A stream that comes back takes the place of the one before: the client's
// network was away, and the server does not know.
func TestAStreamThatComesBackReplacesTheOneBefore(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	before := s.get(t, ctx, token)
	before.ready(t)
	after := s.get(t, ctx, token)
	after.ready(t)
	if e, more := before.next(t); more {
		t.Errorf("the one before brings %+v", e)
	}
	r.changed(t, token, func() { r.claim(token, "write") })
	if got := after.heard(t, 3); !slices.Equal(got, allChanged) {
		t.Errorf("%v", got)
	}
}

// A GET stream ends when its token does, and the session goes on under the next.
func TestAStreamOfASessionEndsWithItsToken(t *testing.T) {
	r := newRoom(t)
	issued := r.issue(resource)
	r.wait(time.Hour - time.Second)
	s := r.initialize(t, "/mcp", older, issued.Access.Reveal())
	news := s.get(t, patient(t), issued.Access.Reveal())
	news.ready(t)
	if e, more := news.next(t); more {
		t.Errorf("%+v", e)
	}
	r.wait(2 * time.Second)
	if a := s.ask(t, r.refresh(t, issued).Access.Reveal(), "ping", `{}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// One grant has 32 streams; the oldest makes room.
func TestTheOldestStreamMakesRoom(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	token := r.guest()
	var all []stream
	for range 33 {
		all = append(all, r.hears(t, ctx, modern, token))
	}
	if e, ok := all[0].next(t); !ok || e.Result["resultType"] != "complete" {
		t.Errorf("the oldest: %+v", e)
	}
	r.open(t, 0, 32)
	r.changed(t, token, func() { r.claim(token, "write") })
	for i, s := range all[1:] {
		if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
			t.Errorf("stream %d: %v", i+1, got)
		}
	}
}

// Streams that open while their grant is claimed hear of it, or were opened by
// the user already: none is left with the lists of a guest.
func TestNoClaimFallsBetweenATokenAndItsStream(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	for n := range 20 {
		token := r.guest()
		var claimed sync.WaitGroup
		claimed.Go(func() { r.changed(t, token, func() { r.claim(token, "write") }) })
		r.hears(t, ctx, modern, token)
		claimed.Wait()
		for r.gate.Knowing() != n+1 {
			if ctx.Err() != nil {
				t.Fatalf("of %d streams, %d are known to be a user's", n+1, r.gate.Knowing())
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// What ends behind a request ends with the gate.
func TestEverythingEndsWithTheServer(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	var all []stream
	for _, version := range []string{older, modern, "2025-03-26"} {
		all = append(all, r.hears(t, ctx, version, r.guest()))
	}
	r.gate.EndAll()
	for _, s := range all {
		if e, more := s.next(t); more && e.Result["resultType"] != "complete" {
			t.Errorf("%+v", e)
		}
	}
	r.open(t, 0, 0)
	if _, _, parties := r.gate.Open(); parties != 0 {
		t.Errorf("%d parties are remembered", parties)
	}
}
