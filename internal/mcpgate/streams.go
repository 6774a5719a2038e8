package mcpgate

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// A stream is an open GET of a session, or a subscriptions/listen. It ends when
// the token that opened it does, or stops to work.
type stream struct {
	sdk      *mcp.ServerSession
	session  *session // nil for a subscriptions/listen
	token    store.Hash
	resource string
	key      string // of its party
	grantID  string
	owner    string // who opened it: a subscriptions/listen brings news of nobody else's resources
	cancel   context.CancelFunc
	done     chan struct{} // closed when its request is over

	looking sync.Mutex // held while somebody looks what has become of its token

	// Guarded by live.mu.
	caller       gate.Caller // as last looked at
	subscription any         // the ID of a subscriptions/listen
	wants        news
	begun        bool // news can be sent
}

// news are the kinds of lists that a stream may bring news of.
type news struct{ tools, resources, prompts bool }

func newStream(sdk *mcp.ServerSession, c carried, cancel context.CancelFunc) *stream {
	return &stream{sdk: sdk, token: c.asker.Access, resource: c.endpoint.Resource, key: c.key(), grantID: c.caller.GrantID,
		owner: c.caller.Owner(), cancel: cancel, done: make(chan struct{}), caller: c.caller}
}

// serveStream serves the GET of a session, in the place of the one before it: a
// client that comes back after its network was away comes before we know that
// it was.
func (g *Gate) serveStream(w http.ResponseWriter, r *http.Request, c carried, s *session) {
	ctx, cancel := context.WithTimeout(r.Context(), g.left(c))
	defer cancel()
	st := newStream(s.sdk, c, cancel)
	st.session, st.wants = s, news{true, true, true}
	if before := g.live.open(st); before != nil {
		select {
		case <-before.done:
		case <-time.After(replacementWaits):
		}
	}
	defer g.live.close(st)
	a := newAnswer(w, nil, func() { g.begin(st) })
	a.later(cancel)
	a.of(g.stateful, r.WithContext(ctx), c)
}

// listen opens a stream for those resources that the caller may read, and ends
// it when the access token does. What is left out is missing from the
// acknowledgement, too (MCP 2026-07-28, subscriptions).
func (g *Gate) listen(ctx context.Context, c carried, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	p, ok := req.GetParams().(*mcp.SubscriptionsListenParams)
	sdk, known := req.GetSession().(*mcp.ServerSession)
	if !ok || !known || p == nil || p.Notifications == nil {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "params.notifications is missing"}
	}
	p.Notifications.ResourceSubscriptions = slices.DeleteFunc(p.Notifications.ResourceSubscriptions, func(uri string) bool {
		return !g.mayRead(ctx, c, uri)
	})
	if len(p.Notifications.ResourceSubscriptions) > subscriptions {
		return nil, tooManySubscriptions()
	}
	ctx, cancel := context.WithTimeout(ctx, g.left(c))
	defer cancel()
	st := newStream(sdk, c, cancel)
	if c.answer != nil {
		c.answer.later(cancel)
	}
	g.live.open(st)
	defer g.live.close(st)
	return next(ctx, "subscriptions/listen", req)
}

// open registers st, and makes room for it. It returns the stream of the same
// session that st replaces.
func (l *live) open(st *stream) (before *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := st.session; s != nil {
		if before = s.stream; before != nil {
			before.cancel()
		}
		if s.stream = st; s.ended || s.grantID != st.grantID { // or adopted meanwhile
			st.cancel()
		}
	}
	if p := l.parties[st.key]; p != nil && len(p.streams) >= limitFor(st.grantID, streamsPerGrant) {
		l.drop(p.streams[0])
	}
	if len(l.streams) >= openInTheProcess {
		l.drop(l.fullest(func(p *party) int { return len(p.streams) }).streams[0])
	}
	p := l.party(st.key)
	p.streams = append(p.streams, st)
	l.streams[st] = struct{}{}
	if st.session == nil {
		l.listening[st.sdk] = st
	}
	if l.drained {
		st.cancel()
	}
	return before
}

// drop ends st, and counts it no more.
func (l *live) drop(st *stream) {
	st.cancel()
	delete(l.streams, st)
	delete(l.listening, st.sdk)
	if p := l.parties[st.key]; p != nil {
		p.streams = without(p.streams, st)
		l.forget(st.key)
	}
}

func (l *live) close(st *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := st.session; s != nil && s.stream == st {
		s.stream = nil
	}
	l.drop(st)
	close(st.done)
}

// begin says that news can be sent on st, and looks at what has changed since
// its token was looked up.
func (g *Gate) begin(st *stream) {
	g.live.mu.Lock()
	defer g.live.mu.Unlock()
	if st.begun = true; !g.live.drained { // nobody waits for looks after that
		g.live.looks.Go(func() { g.look(context.Background(), st) })
	}
}

// acknowledged notes what the stream in sdk was promised.
func (g *Gate) acknowledged(sdk *mcp.ServerSession, p *mcp.SubscriptionsAcknowledgedParams) {
	g.live.mu.Lock()
	st := g.live.listening[sdk]
	if st != nil {
		st.subscription = p.Meta[mcp.MetaKeySubscriptionID]
		n := p.Notifications
		st.wants = news{n.ToolsListChanged, n.ResourcesListChanged, n.PromptsListChanged}
	}
	g.live.mu.Unlock()
	if st != nil {
		g.begin(st)
	}
}

func without[T comparable](all []T, one T) []T {
	return slices.DeleteFunc(all, func(other T) bool { return other == one })
}

// leastUsed returns the session that was used the longest time ago, if possible
// one that is not in use.
func leastUsed(all iter.Seq[*session]) (least *session) {
	for s := range all {
		if least == nil || s.busy == 0 && least.busy > 0 || (s.busy == 0) == (least.busy == 0) && s.used.Before(least.used) {
			least = s
		}
	}
	return least
}
