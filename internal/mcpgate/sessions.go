package mcpgate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// Limits on what is open. What is used least makes room.
const (
	idleSession       = 30 * time.Minute // without a request or a stream
	sessionsPerGrant  = 32
	streamsPerGrant   = 32
	openPerAddress    = 256 // sessions, and as many streams, of callers without a token
	openInTheProcess  = 20_000
	replacementWaits  = 5 * time.Second // for the stream that a new one replaces
	recheck           = 10 * time.Second
	sweepEvery        = time.Minute
	rechecksAtOnce    = 16
	notificationLimit = 10 * time.Second
)

// A live is what is open in this process: MCP sessions, and streams.
type live struct {
	mu        sync.Mutex
	sessions  map[string]*session // by ID
	parties   map[string]*party   // by the grant, or the address of who has no token
	streams   map[*stream]struct{}
	listening map[*mcp.ServerSession]*stream // those that are a subscriptions/listen
	looks     sync.WaitGroup
	drained   bool           // nothing stays open any more
	over      func(*session) // does the rest where a session has ended
}

// A party is what one grant, or one address without a token, has open.
type party struct {
	sessions []*session
	streams  []*stream // the oldest first
}

func newLive() *live {
	return &live{sessions: map[string]*session{}, parties: map[string]*party{}, streams: map[*stream]struct{}{},
		listening: map[*mcp.ServerSession]*stream{}}
}

// A session is an MCP session of a version before 2026-07-28. It belongs to the
// grant that opened it, or that first came with a token where none had opened
// it. Its ID proves nothing: each request in it has its own token.
type session struct {
	id       string
	sdk      *mcp.ServerSession
	version  string // agreed at initialize
	resource string // of the endpoint
	key      string // of its party
	grantID  string // empty until a caller with a token comes

	// Guarded by live.mu.
	caller gate.Caller // of the latest request, or as last looked at
	used   time.Time
	busy   int // requests and streams
	stream *stream
	calls  map[*call]struct{}
	ended  bool

	subscribed map[string]string // URIs, and who subscribed; of nobody else when it has ended
}

// A call is one that runs in a session.
type call struct{ cancel context.CancelFunc }

func (l *live) party(key string) *party {
	p := l.parties[key]
	if p == nil {
		p = &party{}
		l.parties[key] = p
	}
	return p
}

// forget drops the party of key where it has nothing open any more.
func (l *live) forget(key string) {
	if p := l.parties[key]; p != nil && len(p.sessions) == 0 && len(p.streams) == 0 {
		delete(l.parties, key)
	}
}

// opened registers a session that the SDK has opened for c, and makes room for
// it.
func (g *Gate) opened(sdk *mcp.ServerSession, c carried, version string) {
	s := &session{id: sdk.ID(), sdk: sdk, version: version, resource: c.endpoint.Resource, key: c.key(), grantID: c.caller.GrantID,
		caller: c.caller, used: g.Now(), calls: map[*call]struct{}{}, subscribed: map[string]string{}}
	l := g.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sessions) >= openInTheProcess {
		l.end(leastUsed(slices.Values(l.fullest(func(p *party) int { return len(p.sessions) }).sessions)))
	}
	l.sessions[s.id] = s
	l.count(s)
	if l.drained {
		l.end(s)
	}
}

// fullest returns the party that has most of what size counts: who opens more
// than everyone else makes room for everyone else.
func (l *live) fullest(size func(*party) int) (most *party) {
	for _, p := range l.parties {
		if most == nil || size(p) > size(most) {
			most = p
		}
	}
	return most
}

// count counts s for its party, and makes room for it there.
func (l *live) count(s *session) {
	if p := l.parties[s.key]; p != nil && len(p.sessions) >= limitFor(s.grantID, sessionsPerGrant) {
		l.end(leastUsed(slices.Values(p.sessions)))
	}
	p := l.party(s.key)
	p.sessions = append(p.sessions, s)
}

func limitFor(grantID string, perGrant int) int {
	if grantID == "" {
		return openPerAddress
	}
	return perGrant
}

// enter returns the session id where c may use it. The first caller with a token
// adopts a session that was opened without one: its stream ends, and whoever has
// no token, or another grant's, is out.
func (l *live) enter(id string, c carried, now time.Time) *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[id]
	if s == nil || s.ended || s.resource != c.endpoint.Resource || s.grantID != "" && s.grantID != c.caller.GrantID {
		return nil
	}
	if s.grantID == "" && c.caller.GrantID != "" {
		l.adopt(s, c)
	}
	s.caller, s.used = c.caller, now
	s.busy++
	return s
}

func (l *live) adopt(s *session, c carried) {
	before := l.parties[s.key]
	before.sessions = without(before.sessions, s)
	l.forget(s.key)
	s.key, s.grantID = c.key(), c.caller.GrantID
	l.count(s)
	if s.stream != nil {
		s.stream.cancel()
	}
}

func (l *live) leave(s *session, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.busy--
	s.used = now
}

func (g *Gate) end(s *session) {
	g.live.mu.Lock()
	defer g.live.mu.Unlock()
	g.live.end(s)
}

// end ends a session with all that runs in it. It does not wait: a handler may
// take its time to notice.
func (l *live) end(s *session) {
	if s.ended {
		return
	}
	s.ended = true
	delete(l.sessions, s.id)
	p := l.parties[s.key]
	p.sessions = without(p.sessions, s)
	l.forget(s.key)
	if s.stream != nil {
		s.stream.cancel()
	}
	for running := range s.calls {
		running.cancel()
	}
	go l.over(s)
}

// running ties ctx, of a call in the session of sdk, to that session: a call
// that waits for an answer of its caller is not to wait longer than there is
// one. done must be called.
func (l *live) running(ctx context.Context, sdk *mcp.ServerSession) (_ context.Context, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[sdk.ID()]
	ctx, cancel := context.WithCancel(ctx)
	if s == nil { // it ended on the way
		cancel()
		return ctx, cancel
	}
	c := &call{cancel}
	s.calls[c] = struct{}{}
	return ctx, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(s.calls, c)
	}
}

// sweep ends the sessions that nobody uses.
func (g *Gate) sweep() {
	l := g.live
	oldest := g.Now().Add(-idleSession)
	l.mu.Lock()
	var idle []*session
	for _, s := range l.sessions {
		if s.busy == 0 && s.used.Before(oldest) {
			idle = append(idle, s)
		}
	}
	l.mu.Unlock()
	for _, s := range idle {
		g.end(s)
	}
}
