package main

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/operation"
	"example.com/foyer/store"
)

// Each of a hundred has its own call under way, in one of three processes on one
// file: one of them does it, and all are told the same.
func TestT81AHundredConfirmationsInThreeProcessesHaveOneEffect(t *testing.T) {
	g := newTestGame(t)
	var servers []*process
	for range 3 {
		p, err := start(t.Context(), g.dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.kill(); err != nil {
				t.Error(err)
			}
		})
		servers = append(servers, p)
	}
	for tool, class := range classes {
		for n := range 3 {
			r := &round{game: g, tally: &tally{boundary: boundary{tool: tool, name: "a hundred at once"}, ends: map[string]int{}}, what: tool + string(rune('1'+n))}
			shown, err := servers[n].call(t.Context(), tool, thing{r.what})
			if err != nil || shown.status != "preview" {
				t.Fatalf("%s: %v, %v", tool, shown, err)
			}
			r.token = shown.token
			answers := atOnce(t, servers, shown.token)
			if answers[0].status != operation.Succeeded || slices.ContainsFunc(answers, func(a answer) bool { return a != answers[0] }) {
				t.Errorf("%s: not all are told the same: %q", class, answers)
			}
			r.told = answers[0]
			if tool == "order" { // all three look after what waits
				for _, p := range servers {
					if err := p.work(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				r.server = servers[0]
				if err := r.worked(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.settled(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tr, err := r.look(t.Context()); err != nil || tr.rows > 1 || len(tr.keys) > 1 || tr.rows+len(tr.keys) == 0 || tr.Fence > 2 {
				t.Errorf("%s: done %d times here and %d times elsewhere, by %d runs: %v", class, tr.rows, len(tr.keys), tr.Fence, err)
			}
		}
	}
	for _, v := range g.violations {
		t.Error(v)
	}
}

// atOnce confirms a token a hundred times, and returns what all are told in the end.
func atOnce(t *testing.T, servers []*process, token string) []answer {
	t.Helper()
	answers := make([]answer, 100)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			<-begin
			for answers[i].status == "" || answers[i].status == "in_progress" {
				var err error
				if answers[i], err = servers[i%len(servers)].confirm(t.Context(), token); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	close(begin)
	all.Wait()
	return answers
}

func newTestGame(t *testing.T) *game {
	t.Helper()
	g, err := newGame(t.Context(), options{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.db.Close() })
	return g
}

// A run that sleeps longer than its lease is taken over, or lost. What it reports
// then is not recorded, and it is told what is.
func TestT88WhatALateRunReportsIsNotRecorded(t *testing.T) {
	for _, test := range []struct {
		tool, state string
		effects     int
	}{
		{"pay", operation.Succeeded, 2}, // under one key
		{"send", operation.Unknown, 1},
		{"erase", operation.Unknown, 1},
	} {
		for _, by := range []string{"a confirmation", "the worker"} {
			t.Run(test.tool+", by "+by, func(t *testing.T) {
				g := newTestGame(t)
				n := newNight(t, g)
				late, quick := n.shop(t), n.shop(t)
				token := late.shown(t, test.tool)
				asleep := n.sleep(late)
				said := late.later(t, token)
				<-asleep
				n.pass(lease)
				if by == "the worker" {
					w := &worker{work: quick.ops.Work}
					w.start()
					n.until(t, token, func(op store.Operation) bool { return op.State != operation.Executing })
					w.stop()
				}
				other := quick.confirmed(t, token)
				before := n.record(t, token)
				n.wake(late)
				if own := <-said; own != other || own.status != test.state {
					t.Errorf("who was late is told\n%v\nand the other\n%v", own, other)
				}
				if after := n.record(t, token); after.State != before.State || after.Fence != before.Fence || !after.Ended.Equal(before.Ended) || after.State != test.state {
					t.Errorf("it was %+v, and is %+v", before, after)
				}
				keys, err := effectsOf(late.effects, "tea")
				if err != nil || len(keys) != test.effects || keys[0] != keys[len(keys)-1] {
					t.Errorf("it was done %q: %v", keys, err)
				}
			})
		}
	}
}

// The fence counts, not the state: while another run is under way the record says
// executing, as it did before.
func TestT88ALateRunEndsNoOther(t *testing.T) {
	n := newNight(t, newTestGame(t))
	late, next := n.shop(t), n.shop(t)
	token := late.shown(t, "pay")
	asleep := n.sleep(late)
	first := late.later(t, token)
	<-asleep
	n.pass(lease)
	asleep = n.sleep(next)
	second := next.later(t, token)
	<-asleep
	n.wake(late)
	if told := <-first; told.status != "in_progress" {
		t.Errorf("who was late is told %v", told)
	}
	if op := n.record(t, token); op.State != operation.Executing || op.Fence != 2 {
		t.Errorf("while the other runs, it is %s, run %d", op.State, op.Fence)
	}
	n.wake(next)
	if told := <-second; told.status != operation.Succeeded {
		t.Errorf("the other is told %v", told)
	}
}

// A delivery that takes longer than its lease is recorded by whoever took it over,
// and not by who was late.
func TestT88ALateDeliveryIsNotRecorded(t *testing.T) {
	n := newNight(t, newTestGame(t))
	late, next := n.shop(t), n.shop(t)
	token := late.shown(t, "order")
	late.confirmed(t, token)
	first, second := &worker{work: late.ops.Work}, &worker{work: next.ops.Work}
	asleep := n.sleep(late)
	first.start()
	<-asleep
	n.pass(lease)
	asleep = n.sleep(next)
	second.start()
	<-asleep
	n.wake(late)
	first.stop()
	if op := n.record(t, token); op.Due.IsZero() || op.Fence != 3 {
		t.Errorf("while it is delivered again, it is due %v, run %d", op.Due, op.Fence)
	}
	n.wake(next)
	second.stop()
	if op := n.record(t, token); !op.Due.IsZero() {
		t.Errorf("it was delivered, and is due %v", op.Due)
	}
}

// A night is a clock that a hand moves, and shops that sleep.
type night struct {
	g *game

	mu      sync.Mutex
	now     time.Time
	asleep  map[*customer]chan struct{}
	morning map[*customer]chan struct{}
}

func newNight(t *testing.T, g *game) *night {
	return &night{g: g, now: time.Now(), asleep: map[*customer]chan struct{}{}, morning: map[*customer]chan struct{}{}}
}

func (n *night) time() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *night) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// A customer has a shop of their own, over the file that all share.
type customer struct {
	*shop
	process
}

func (n *night) shop(t *testing.T) *customer {
	t.Helper()
	c := &customer{}
	s, db, err := openShop(n.g.dir, n.time, func(point string) { n.at(c, point) }, func(db store.Database) store.Database { return db })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.ops.Close()
		db.Close()
	})
	c.shop = s
	c.session = connect(t, s)
	return c
}

// at sleeps before an effect or a delivery, where that was asked for.
func (n *night) at(c *customer, point string) {
	n.mu.Lock()
	asleep, morning := n.asleep[c], n.morning[c]
	if point == beforeEffect || point == beforeDelivery {
		delete(n.asleep, c)
	} else {
		asleep = nil
	}
	n.mu.Unlock()
	if asleep != nil {
		close(asleep)
		<-morning
	}
}

// sleep has c sleep before what it does next, until wake. The channel is closed when
// it does.
func (n *night) sleep(c *customer) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asleep[c], n.morning[c] = make(chan struct{}), make(chan struct{})
	return n.asleep[c]
}

func (n *night) wake(c *customer) { close(n.morning[c]) }

func (n *night) record(t *testing.T, token string) store.Operation {
	t.Helper()
	op, err := operationOf(context.WithoutCancel(t.Context()), n.g.db, token)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func (n *night) until(t *testing.T, token string, there func(store.Operation) bool) {
	t.Helper()
	for begun := time.Now(); !there(n.record(t, token)); {
		if time.Since(begun) > slowest {
			t.Fatalf("it is still %+v", n.record(t, token))
		}
	}
}

func (c *customer) shown(t *testing.T, tool string) string {
	t.Helper()
	a, err := c.call(t.Context(), tool, thing{"tea"})
	if err != nil || a.status != "preview" {
		t.Fatalf("%s: %v, %v", tool, a, err)
	}
	return a.token
}

func (c *customer) confirmed(t *testing.T, token string) answer {
	t.Helper()
	a, err := c.confirm(t.Context(), token)
	if err != nil {
		t.Error(err)
	}
	return a
}

// later confirms, and says so when there is an answer.
func (c *customer) later(t *testing.T, token string) <-chan answer {
	said := make(chan answer, 1)
	go func() { said <- c.confirmed(t, token) }()
	return said
}
