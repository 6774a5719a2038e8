package audit

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/foyer/store"
)

// hooked is a trail without a store, whose hooks are these.
func hooked(t *testing.T, h Hooks) (*Trail, *lockedBuffer) {
	t.Helper()
	log := &lockedBuffer{}
	trail, err := New(Config{Store: nobody{}, Secrets: []string{oldSecret}, Hooks: h, Now: time.Now, Log: loggerTo(log)})
	if err != nil {
		t.Fatal(err)
	}
	return trail, log
}

// Ways in which a hook goes wrong, and how the log tells it.
var mishaps = []struct {
	what, logged string
	happen       func(context.Context) error
}{
	{"errs", "hook: error", func(context.Context) error { return errors.New("secret words") }},
	{"panics", "hook: panic", func(context.Context) error { panic("secret words") }},
	{"panics with an error", "hook: panic", func(context.Context) error { panic(errors.New("secret words")) }},
	{"ends its goroutine", "", func(context.Context) error { runtime.Goexit(); return nil }},
	{"waits for its context", "hook: error", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
	{"is nothing but slow", "", func(context.Context) error { time.Sleep(time.Hour); return nil }},
}

// allHooks is the same hook in every place.
func allHooks(hook func(ctx context.Context, name string) error) Hooks {
	return Hooks{
		OnToolCall: func(ctx context.Context, c ToolCall) error { return hook(ctx, c.Tool) },
		OnEvent:    func(ctx context.Context, e store.Event) error { return hook(ctx, e.ID) },
		OnMutation: func(ctx context.Context, m Mutation) error { return hook(ctx, m.Operation) },
	}
}

// ways are how each hook is called, and how long that may take.
var ways = []struct {
	name string
	most time.Duration
	call func(trail *Trail, what string)
}{
	{"OnToolCall", 0, func(trail *Trail, what string) { trail.ToolCalled(ToolCall{Tool: what}) }},
	{"OnEvent", 0, func(trail *Trail, what string) { trail.hooks.event(store.Event{ID: what}) }},
	{"OnMutation", mutationMax, func(trail *Trail, what string) { trail.Mutation(context.Background(), Mutation{Operation: what}) }},
}

// Whatever a hook does, who calls it is not kept waiting, the next call comes
// through, and no word of the hook's is logged.
func TestAHookThatGoesWrongHurtsNobody(t *testing.T) {
	for _, way := range ways {
		for _, mishap := range mishaps {
			t.Run(way.name+" "+mishap.what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var mu sync.Mutex
					var came []string
					trail, log := hooked(t, allHooks(func(ctx context.Context, name string) error {
						mu.Lock()
						came = append(came, name)
						mu.Unlock()
						if name == "bad" {
							return mishap.happen(ctx)
						}
						return nil
					}))
					begun := time.Now()
					way.call(trail, "bad")
					if took := time.Since(begun); took > way.most {
						t.Errorf("the call took %v", took)
					}
					synctest.Wait() // calls of tools are told side by side
					way.call(trail, "next")
					time.Sleep(2 * time.Hour)
					mu.Lock()
					defer mu.Unlock()
					if !slices.Equal(came, []string{"bad", "next"}) {
						t.Errorf("the hook was called for %q", came)
					}
					if said := log.String(); !strings.Contains(said, mishap.logged) || strings.Contains(said, "secret words") {
						t.Errorf("logged: %s; want %q", said, mishap.logged)
					}
				})
			})
		}
	}
}

// A hook that never returns gets no more calls, and that is all: they are
// dropped, and nobody waits, not even the end of the program for more than a
// moment.
func TestAHookThatHangsDelaysNobody(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				never := make(chan struct{})
				trail, log := hooked(t, allHooks(func(context.Context, string) error { <-never; return nil }))
				begun := time.Now()
				var wg sync.WaitGroup
				for range 2 * mostCalls {
					wg.Go(func() { way.call(trail, "x") })
				}
				wg.Wait()
				if took := time.Since(begun); took > way.most {
					t.Errorf("the calls took %v", took)
				}
				if !strings.Contains(log.String(), "dropp") {
					t.Errorf("nothing was dropped: %s", log)
				}
				begun = time.Now()
				trail.Close()
				if took := time.Since(begun); took > 2*lastWords {
					t.Errorf("Close took %v", took)
				}
				close(never) // for the bubble to end
				synctest.Wait()
			})
		})
	}
}

// The answer waits for the mutation hook as long as it takes, if that is not too
// long, and whatever becomes of the request.
func TestTheMutationHookIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
		cancel()
		var got Mutation
		trail, log := hooked(t, Hooks{OnMutation: func(ctx context.Context, m Mutation) error {
			time.Sleep(mutationMax - time.Second)
			if ctx.Err() == nil && ctx.Value(key{}) == "kept" {
				got = m
			}
			return nil
		}})
		want := Mutation{UserID: "u", Tool: "t", Summary: "s", Operation: "o"}
		trail.Mutation(ctx, want)
		if got != want || log.String() != "" {
			t.Errorf("%+v; %s", got, log)
		}
	})
}

func TestWithoutHooksNothingIsCalled(t *testing.T) {
	trail, log := hooked(t, Hooks{})
	for _, way := range ways {
		way.call(trail, "x")
	}
	if trail.WantsToolCalls() || log.String() != "" {
		t.Errorf("%v, %s", trail.WantsToolCalls(), log)
	}
}

// OnEvent is told of every event once, in the order of the chain, with its place.
func TestEveryEventIsToldInItsOrder(t *testing.T) {
	r := newRoom(t)
	var mu sync.Mutex
	var places []int
	trail, err := New(Config{Store: r.store, Secrets: []string{oldSecret}, Keep: kept, Now: func() time.Time { return r.at }, Log: loggerTo(r.log),
		Hooks: Hooks{OnEvent: func(_ context.Context, e store.Event) error {
			mu.Lock()
			defer mu.Unlock()
			places = append(places, e.Place)
			if len(e.MAC) != 32 {
				t.Errorf("told before it was sealed: %+v", e)
			}
			return nil
		}}})
	if err != nil {
		t.Fatal(err)
	}
	r.Trail = trail
	r.sealed(3)
	r.Note(r.decided("g", "u", "tool a", store.OutcomeAllow))
	r.put(2)
	r.Close()
	if want := []int{1, 2, 3, 4, 5, 6}; !slices.Equal(places, want) {
		t.Errorf("told of %v, want %v", places, want)
	}
}
