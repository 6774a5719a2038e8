package mcpgate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
)

// Run tells what is open of the grants that change, until ctx ends, and then
// ends all of it. What another process changes it sees within ten seconds.
func (g *Gate) Run(ctx context.Context) {
	defer g.live.looks.Wait()
	defer g.Drain()
	rechecked, swept := time.Now(), time.Now()
	for ctx.Err() == nil {
		soon, cancel := context.WithDeadline(ctx, rechecked.Add(recheck))
		ids, err := g.Grants.Changed(soon)
		cancel()
		if err == nil {
			g.lookAt(ctx, ids)
		}
		if time.Since(rechecked) >= recheck {
			rechecked = time.Now()
			g.lookAround(ctx)
		}
		if time.Since(swept) >= sweepEvery {
			swept = time.Now()
			g.sweep()
		}
	}
}

// Drain ends every session and every stream, and each that opens from then on: a
// request may be on its way already.
func (g *Gate) Drain() {
	g.live.mu.Lock()
	g.live.drained = true
	g.live.mu.Unlock()
	g.EndAll()
}

// EndAll ends every session and every stream, once.
func (g *Gate) EndAll() {
	g.live.mu.Lock()
	var sessions []*session
	for _, s := range g.live.sessions {
		sessions = append(sessions, s)
	}
	for st := range g.live.streams {
		st.cancel()
	}
	g.live.mu.Unlock()
	for _, s := range sessions {
		g.end(s)
	}
}

// lookAt looks at all that the grants ids have open.
func (g *Gate) lookAt(ctx context.Context, ids []string) {
	for _, id := range ids {
		g.live.mu.Lock()
		p := g.live.parties[id]
		var sessions []*session
		var streams []*stream
		if p != nil {
			sessions, streams = slices.Clone(p.sessions), slices.Clone(p.streams)
		}
		g.live.mu.Unlock()
		for _, st := range streams {
			g.live.looks.Go(func() { g.look(context.WithoutCancel(ctx), st) })
		}
		if len(sessions) == 0 {
			continue
		}
		switch err := g.stands(ctx, id); {
		case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
			for _, s := range sessions {
				g.end(s)
			}
		case err != nil && ctx.Err() == nil:
			g.Log.ErrorContext(ctx, "fault", "about", "a grant that changed", "err", err)
		}
	}
}

func (g *Gate) stands(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, notificationLimit)
	defer cancel()
	return g.Grants.Stands(ctx, id)
}

// lookAround looks at every stream, some at a time.
func (g *Gate) lookAround(ctx context.Context) {
	g.live.mu.Lock()
	todo := make(chan *stream, len(g.live.streams))
	for st := range g.live.streams {
		todo <- st
	}
	g.live.mu.Unlock()
	close(todo)
	var workers sync.WaitGroup
	for range min(len(todo), rechecksAtOnce) {
		workers.Go(func() {
			for st := range todo {
				g.look(ctx, st)
			}
		})
	}
	workers.Wait()
}

// look asks what has become of the token of st, ends st where it works no more,
// and otherwise sends the news of each list that looks different now.
func (g *Gate) look(ctx context.Context, st *stream) {
	if st.grantID == "" {
		return
	}
	st.looking.Lock()
	defer st.looking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, notificationLimit)
	defer cancel()
	b, err := g.Grants.Look(ctx, st.token, st.resource)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		st.cancel()
		return
	case err != nil:
		if ctx.Err() == nil {
			g.Log.ErrorContext(ctx, "fault", "about", "an open stream", "err", err)
		}
		return
	}
	g.live.mu.Lock()
	if !st.begun { // it will be looked at when it has
		g.live.mu.Unlock()
		return
	}
	before, after := st.caller, g.caller(b)
	st.caller = after
	if st.session != nil {
		st.session.caller = after
	}
	wants := st.wants
	g.live.mu.Unlock()
	g.bring(ctx, st, wants, before, after)
}

// bring sends the news of each list that st wants news of, and that differs
// between what its caller was and is.
func (g *Gate) bring(ctx context.Context, st *stream, wants news, before, after gate.Caller) {
	if wants.tools && g.differ(g.Items.tools, before, after) {
		notify(ctx, g, st, "notifications/tools/list_changed", &mcp.ToolListChangedParams{})
	}
	if wants.resources && g.differ(g.Items.resources, before, after) {
		notify(ctx, g, st, "notifications/resources/list_changed", &mcp.ResourceListChangedParams{})
	}
	if wants.prompts && g.differ(g.Items.prompts, before, after) {
		notify(ctx, g, st, "notifications/prompts/list_changed", &mcp.PromptListChangedParams{})
	}
}

// notify sends one notification on one stream. That it does not arrive is the
// stream's end, which its request notices.
func notify[P mcp.Params](ctx context.Context, g *Gate, st *stream, method string, params P) {
	ctx, cancel := context.WithTimeout(ctx, notificationLimit)
	defer cancel()
	g.live.mu.Lock()
	if st.subscription != nil {
		params.SetMeta(map[string]any{mcp.MetaKeySubscriptionID: st.subscription})
	}
	g.live.mu.Unlock()
	_, _ = g.send(ctx, method, &mcp.ServerRequest[P]{Session: st.sdk, Params: params})
}

// differ reports whether a list of the items of rules looks different to two
// callers.
func (g *Gate) differ(rules gate.Rules, a, b gate.Caller) bool {
	for name := range rules {
		da, db := rules.Show(a, name), rules.Show(b, name)
		switch {
		case da.Outcome == db.Outcome && da.Outcome != gate.Challenge:
		case da.Listed() != db.Listed(), da.Listed() && g.shape(a, da) != g.shape(b, db):
			return true
		}
	}
	return false
}

// A shape is how a listed item looks, apart from what it is.
type shape struct {
	locked, byChat bool
	reason         gate.Reason
}

func (g *Gate) shape(c gate.Caller, d gate.Decision) shape {
	if d.Outcome != gate.Challenge {
		return shape{}
	}
	return shape{true, c.GrantID != "" && !c.SignedIn() && g.ByChat(d.Scopes), d.Reason}
}

// sending stands between the server and its clients. It keeps what the gate
// needs to send news to one stream alone, and holds back news about a resource
// that the stream's caller may not read any more.
func (g *Gate) sending(next mcp.MethodHandler) mcp.MethodHandler {
	g.send = next
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		sdk, ok := req.GetSession().(*mcp.ServerSession)
		if !ok {
			return next(ctx, method, req)
		}
		switch p := req.GetParams().(type) {
		case *mcp.ResourceUpdatedNotificationParams:
			if !g.mayHear(ctx, sdk, p.URI) {
				return nil, nil
			}
		case *mcp.SubscriptionsAcknowledgedParams:
			res, err := next(ctx, method, req)
			if err == nil {
				g.acknowledged(sdk, p)
			}
			return res, err
		}
		return next(ctx, method, req)
	}
}

// mayHear reports whether the caller behind a session of the SDK may read uri,
// as far as was last looked, and is who subscribed to it: a connection that
// changes hands does not take news about its last owner with it. What is open to
// everybody is nobody's.
func (g *Gate) mayHear(ctx context.Context, sdk *mcp.ServerSession, uri string) bool {
	g.live.mu.Lock()
	c, owner, ok := g.live.subscriber(sdk, uri)
	g.live.mu.Unlock()
	c.At = g.Now()
	return ok && g.mayRead(ctx, carried{caller: c}, uri) && (c.Owner() == owner || g.mayRead(ctx, carried{}, uri))
}

// subscriber returns the caller behind a session of the SDK, and who it was that
// subscribed to uri in it.
func (l *live) subscriber(sdk *mcp.ServerSession, uri string) (c gate.Caller, owner string, ok bool) {
	if s := l.sessions[sdk.ID()]; s != nil && s.sdk == sdk {
		return s.caller, s.subscribed[uri], true
	}
	if st := l.listening[sdk]; st != nil {
		return st.caller, st.owner, true
	}
	return gate.Caller{}, "", false
}
