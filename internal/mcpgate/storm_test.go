package mcpgate_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
)

const storm = 2 * time.Second

// Many clients open and close sessions and streams, sign in and out, and are
// revoked, all at once, while everything is swept and ended. Nothing hangs, and
// nothing is left.
func TestAStormLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("storm", func(t *testing.T) {
		r := newRoom(t)
		ctx, cancel := context.WithTimeout(t.Context(), storm)
		defer cancel()
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { r.weather(t, ctx) })
		}
		all.Go(func() {
			for ctx.Err() == nil {
				r.gate.Sweep()
				if rand.IntN(200) == 0 {
					r.gate.EndAll()
				}
				time.Sleep(time.Millisecond)
			}
		})
		all.Wait()
		r.gate.Drain()
		r.open(t, 0, 0)
		if _, _, parties := r.gate.Open(); parties != 0 {
			t.Errorf("%d parties are remembered", parties)
		}
	})
	http.DefaultClient.CloseIdleConnections()
	for patience := patient(t); runtime.NumGoroutine() > before+2; time.Sleep(time.Millisecond) {
		if patience.Err() != nil {
			text := make([]byte, 1<<20)
			t.Fatalf("%d goroutines were there, and %d are:\n%s", before, runtime.NumGoroutine(), text[:runtime.Stack(text, true)])
		}
	}
}

// weather is what one client after another does.
func (r *room) weather(t *testing.T, ctx context.Context) {
	for ctx.Err() == nil {
		token, path := r.guest(), "/mcp"
		var own []mcpSession
		for range 3 {
			req := r.request(t, path, "", token, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`)
			own = append(own, mcpSession{r, path, older, r.brief(ctx, req, 0).Get("Mcp-Session-Id")})
		}
		var some sync.WaitGroup
		for _, s := range own {
			if s.id == "" {
				continue
			}
			for _, do := range []func(){
				func() { r.gets(t, ctx, s, token) }, func() { r.gets(t, ctx, s, token) },
				func() {
					for range 5 {
						for _, ask := range [][2]string{{"tools/call", `{"name":"anyone"}`}, {"resources/subscribe", `{"uri":"room://anyone/1"}`}, {"tools/list", `{}`}} {
							req := r.request(t, path, "", token, ask[0], ask[1])
							s.mark(req)
							r.brief(ctx, req, 0)
						}
					}
				},
			} {
				some.Go(do)
			}
		}
		some.Go(func() {
			r.brief(ctx, r.request(t, path, modern, token, "subscriptions/listen", allLists), 20*time.Millisecond)
		})
		some.Go(func() {
			r.changed(t, token, func() { r.claim(token, "write") })
			if rand.IntN(2) == 0 {
				r.changed(t, token, func() { _ = r.grants.SignOut(ctx, secret.HashOf(token)) })
			}
			if rand.IntN(2) == 0 {
				_ = r.grants.Revoke(ctx, "c1", secret.HashOf(token))
			}
		})
		if s := own[0]; s.id != "" && rand.IntN(2) == 0 {
			req := r.post(t, path, token, "")
			req.Method, req.Body, req.ContentLength = http.MethodDelete, http.NoBody, 0
			s.mark(req)
			r.brief(ctx, req, 0)
		}
		some.Wait()
	}
}

func (r *room) gets(t *testing.T, ctx context.Context, s mcpSession, token string) {
	req := r.post(t, s.path, token, "")
	req.Method, req.Body, req.ContentLength = http.MethodGet, http.NoBody, 0
	s.mark(req)
	r.brief(ctx, req, time.Duration(rand.IntN(30))*time.Millisecond+time.Millisecond)
}

// brief sends req and reads the answer for so long.
func (r *room) brief(ctx context.Context, req *http.Request, long time.Duration) http.Header {
	if long == 0 {
		long = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	res, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		return http.Header{}
	}
	defer res.Body.Close()
	var some [512]byte
	for err == nil {
		_, err = res.Body.Read(some[:])
	}
	return res.Header
}
