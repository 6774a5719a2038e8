package limit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/foyer/internal/limit"
	"example.com/foyer/store"
)

// rows are counters in a map; nothing else of a store.Tx works.
type rows struct {
	store.Tx
	counters map[string]store.Counter
	puts     int
	broken   error
}

func newRows() *rows { return &rows{counters: map[string]store.Counter{}} }

func (r *rows) Counter(_ context.Context, key string) (store.Counter, error) {
	c, ok := r.counters[key]
	if r.broken != nil {
		return store.Counter{}, r.broken
	}
	if !ok {
		return store.Counter{}, store.ErrNotFound
	}
	return c, nil
}

func (r *rows) PutCounter(_ context.Context, c store.Counter) error {
	r.puts++
	r.counters[c.Key] = c
	return nil
}

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// mails are the sends that one address has room for.
var mails = []limit.Budget{
	{Events: 1, Within: time.Minute},
	{Events: 3, Within: 15 * time.Minute},
	{Events: 5, Within: time.Hour},
	{Events: 10, Within: 24 * time.Hour},
}

// A step asks for one event, some time after the start.
type step struct {
	at   time.Duration
	wait time.Duration
}

// Covers T30.
func TestSpend(t *testing.T) {
	const m, h = time.Minute, time.Hour
	for _, test := range []struct {
		name    string
		budgets []limit.Budget
		steps   []step
	}{
		{"room comes back when the oldest event leaves the window", []limit.Budget{{Events: 2, Within: m}},
			[]step{{0, 0}, {20 * time.Second, 0}, {30 * time.Second, 30 * time.Second}, {m - 1, 1}, {m, 0}, {m, 20 * time.Second}}},
		{"a refused event does not prolong the wait", []limit.Budget{{Events: 1, Within: m}},
			[]step{{0, 0}, {30 * time.Second, 30 * time.Second}, {59 * time.Second, time.Second}, {m, 0}}},
		{"the tightest budget speaks", mails,
			[]step{{0, 0}, {1, m - 1}, {m, 0}, {2 * m, 0}, {3 * m, 12 * m}, {15 * m, 0}, {16 * m, 0}, {17 * m, 43 * m}, {h, 0}}},
		{"an event in the future counts as now", []limit.Budget{{Events: 1, Within: h}},
			[]step{{30 * m, 0}, {0, h}, {10 * m, h}, {90 * m, 0}}},
		{"a clock set back far does not keep it shut", []limit.Budget{{Events: 1, Within: h}},
			[]step{{1000 * h, 0}, {0, 0}, {0, h}}},
		{"a lifetime", []limit.Budget{{Events: 2, Total: true}},
			[]step{{0, 0}, {h, 0}, {2 * h, limit.Never}, {100000 * h, limit.Never}}},
		{"a lifetime that is forgotten after a day of quiet", []limit.Budget{{Events: 2, Within: 24 * h, Total: true}},
			[]step{{0, 0}, {h, 0}, {2 * h, 23 * h}, {25 * h, 0}, {25 * h, 0}, {25 * h, 24 * h}}},
		{"a lifetime beside a window", []limit.Budget{{Events: 2, Within: m}, {Events: 3, Within: 24 * h, Total: true}},
			[]step{{0, 0}, {0, 0}, {0, m}, {m, 0}, {m, 24 * h}, {2 * m, 24*h - m}}},
		{"no budget is no permission", nil, []step{{0, limit.Never}}},
		{"the zero budget allows nothing", []limit.Budget{{}}, []step{{0, limit.Never}}},
		{"no events", []limit.Budget{{Within: m}}, []step{{0, limit.Never}}},
		{"no window", []limit.Budget{{Events: 1}}, []step{{0, limit.Never}}},
		{"a window that is negative", []limit.Budget{{Events: 1, Within: -m, Total: true}}, []step{{0, limit.Never}}},
		{"a zero budget beside a good one", []limit.Budget{{Events: 1, Within: m}, {}}, []step{{0, limit.Never}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tx := newRows()
			for i, s := range test.steps {
				puts, now := tx.puts, start.Add(s.at)
				if got := peek(t, tx, "k", now, test.budgets...); got != s.wait {
					t.Errorf("step %d: Peek = %v, want %v", i, got, s.wait)
				}
				if got := spend(t, tx, "k", now, test.budgets...); got != s.wait {
					t.Errorf("step %d: Spend = %v, want %v", i, got, s.wait)
				}
				if wrote := tx.puts > puts; wrote != (s.wait == 0) {
					t.Errorf("step %d: wrote = %v with a wait of %v", i, wrote, s.wait)
				}
			}
		})
	}
}

func TestKeysDoNotShareBudgets(t *testing.T) {
	tx := newRows()
	b := limit.Budget{Events: 1, Within: time.Hour}
	if spend(t, tx, "a", start, b) != 0 || spend(t, tx, "b", start, b) != 0 {
		t.Error("one key used up another's budget")
	}
}

func TestACounterKeepsOnlyWhatItsBudgetsNeed(t *testing.T) {
	tx := newRows()
	budgets := []limit.Budget{{Events: 2, Within: time.Minute}, {Events: 5, Within: time.Hour}, {Events: 1000, Within: 48 * time.Hour, Total: true}}
	now := start
	for range 20 {
		record(t, tx, "k", now, budgets...)
		now = now.Add(time.Minute)
	}
	last := now.Add(-time.Minute)
	c := tx.counters["k"]
	if len(c.Events) != 5 || c.Total != 20 || !c.Events[4].Equal(last) {
		t.Errorf("kept %d events, the last at %v, and a total of %d", len(c.Events), c.Events[len(c.Events)-1], c.Total)
	}
	if want := last.Add(48 * time.Hour); !c.Expires.Equal(want) {
		t.Errorf("expires at %v, want %v", c.Expires, want)
	}
	record(t, tx, "k", now.Add(2*time.Hour), budgets...)
	if c := tx.counters["k"]; len(c.Events) != 1 {
		t.Errorf("kept %d events that have left every window", len(c.Events)-1)
	}
	record(t, tx, "for ever", now, limit.Budget{Events: 1, Total: true})
	if c := tx.counters["for ever"]; !c.Expires.IsZero() || len(c.Events) != 0 {
		t.Errorf("a lifetime without end became %+v", c)
	}
}

// A store gives away its own slices; who changes them changes a snapshot.
func TestRecordLeavesTheStoresEventsAlone(t *testing.T) {
	tx := newRows()
	b := limit.Budget{Events: 3, Within: time.Hour}
	record(t, tx, "k", start.Add(time.Minute), b)
	record(t, tx, "k", start.Add(2*time.Minute), b)
	before := tx.counters["k"]
	events := slices.Clone(before.Events)
	record(t, tx, "k", start, b) // clamps both
	if !slices.Equal(before.Events, events) {
		t.Errorf("events became %v, were %v", before.Events, events)
	}
}

// Covers T01's counting: a failure is recorded whether there was room or not.
func TestFailuresAreRecordedAndCleared(t *testing.T) {
	tx := newRows()
	failures := []limit.Budget{{Events: 2, Within: 24 * time.Hour}, {Events: 5, Within: 90 * 24 * time.Hour, Total: true}}
	forget(t, tx, "k", start)
	if len(tx.counters) != 0 {
		t.Error("clearing nothing wrote something")
	}
	for i, want := range []time.Duration{0, 0, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 90 * 24 * time.Hour} {
		if got := peek(t, tx, "k", start, failures...); got != want {
			t.Errorf("after %d failures: wait %v, want %v", i, got, want)
		}
		record(t, tx, "k", start, failures...)
	}
	if got := total(t, tx, "k", start); got != 6 {
		t.Errorf("total = %d, want 6", got)
	}
	forget(t, tx, "k", start)
	if got := total(t, tx, "k", start); got != 0 || peek(t, tx, "k", start, failures...) != 0 {
		t.Errorf("total = %d after it was cleared", got)
	}
	if c := tx.counters["k"]; c.Expires.IsZero() || c.Expires.After(start) {
		t.Errorf("a cleared counter expires at %v", c.Expires)
	}
	record(t, tx, "k", start, failures...)
	if got := total(t, tx, "k", start.Add(90*24*time.Hour)); got != 0 {
		t.Errorf("total = %d after the counter has expired", got)
	}
}

func TestDistinctLabels(t *testing.T) {
	const m, h = time.Minute, time.Hour
	type use struct {
		at    time.Duration
		label string
		wait  time.Duration
	}
	three := limit.Budget{Events: 3, Within: 24 * h}
	for _, test := range []struct {
		name   string
		budget limit.Budget
		uses   []use
	}{
		{"the same label is free", three, []use{{0, "a", 0}, {1, "a", 0}, {2, "a", 0}, {3, "a", 0}}},
		{"a fourth label waits", three, []use{{0, "a", 0}, {h, "b", 0}, {2 * h, "c", 0}, {3 * h, "d", 21 * h}, {3 * h, "b", 0}, {24 * h, "d", 0}}},
		{"a label in use is not forgotten", three, []use{{0, "a", 0}, {h, "b", 0}, {2 * h, "c", 0}, {23 * h, "a", 0}, {24 * h, "d", h}, {25 * h, "d", 0}}},
		{"a refused label is not remembered", limit.Budget{Events: 1, Within: h}, []use{{0, "a", 0}, {30 * m, "b", 30 * m}, {h, "b", 0}, {h, "a", h}}},
		{"a label from the future counts as now", limit.Budget{Events: 1, Within: h}, []use{{30 * m, "a", 0}, {0, "b", h}, {0, "a", 0}, {h, "b", 0}}},
		{"labels from far ahead are forgotten", limit.Budget{Events: 1, Within: h}, []use{{100 * h, "a", 0}, {0, "b", 0}}},
		{"the zero budget allows nothing", limit.Budget{}, []use{{0, "a", limit.Never}}},
		{"a lifetime is no budget for labels", limit.Budget{Events: 1, Within: h, Total: true}, []use{{0, "a", limit.Never}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tx := newRows()
			for i, u := range test.uses {
				puts := tx.puts
				got, err := limit.SpendLabel(t.Context(), tx, "k", u.label, start.Add(u.at), test.budget)
				if err != nil || got != u.wait {
					t.Errorf("use %d, of %q: %v, %v, want %v", i, u.label, got, err, u.wait)
				}
				if wrote := tx.puts > puts; wrote != (u.wait == 0) {
					t.Errorf("use %d: wrote = %v with a wait of %v", i, wrote, u.wait)
				}
			}
			if c, ok := tx.counters["k"]; ok && (c.Expires.IsZero() || len(c.Labels) > test.budget.Events) {
				t.Errorf("the counter became %+v", c)
			}
		})
	}
}

func TestWhatNoStoreCouldHold(t *testing.T) {
	tx := newRows()
	b := limit.Budget{Events: 2, Within: time.Hour}
	record(t, tx, "events", start, b)
	for _, test := range []struct{ name, key, label string }{
		{"an empty label", "k", ""},
		{"a label with a space", "k", "a b"},
		{"a key that counts events", "events", "a"},
	} {
		if _, err := limit.SpendLabel(t.Context(), tx, test.key, test.label, start, b); err == nil {
			t.Errorf("%s was accepted", test.name)
		}
	}
}

func TestAFaultOfTheStoreIsNoPermission(t *testing.T) {
	fault := errors.New("disk full")
	tx := newRows()
	tx.broken = fault
	b := limit.Budget{Events: 1, Within: time.Hour}
	_, spent := limit.Spend(t.Context(), tx, "k", start, b)
	_, peeked := limit.Peek(t.Context(), tx, "k", start, b)
	_, labelled := limit.SpendLabel(t.Context(), tx, "k", "a", start, b)
	_, counted := limit.Total(t.Context(), tx, "k", start)
	for i, err := range []error{spent, peeked, labelled, counted,
		limit.Record(t.Context(), tx, "k", start, b), limit.Clear(t.Context(), tx, "k", start)} {
		if !errors.Is(err, fault) {
			t.Errorf("call %d returned %v", i, err)
		}
	}
}

// In any stretch of Within at most Events succeed, nothing is refused that a
// model with the whole history would allow, and the wait is exact.
func TestSpendIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := newRows()
		budgets := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) limit.Budget {
			return limit.Budget{Events: rapid.IntRange(1, 6).Draw(t, "events"), Within: time.Duration(rapid.IntRange(1, 30).Draw(t, "within"))}
		}), 1, 4).Draw(t, "budgets")
		var spent []time.Time
		now := start
		for range rapid.IntRange(1, 80).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "pause")))
			wait := spend(t, tx, "k", now, budgets...)
			if want := modelWait(spent, now, budgets); wait != want {
				t.Fatalf("at %d after %v: wait %d, want %d", now.Sub(start), spent, wait, want)
			}
			if wait == 0 {
				spent = append(spent, now)
			}
		}
		for _, b := range budgets {
			for i := b.Events; i < len(spent); i++ {
				if spent[i].Sub(spent[i-b.Events]) < b.Within {
					t.Fatalf("%d events within %d: %v", b.Events+1, spent[i].Sub(spent[i-b.Events]), spent)
				}
			}
		}
	})
}

// modelWait tries one instant after the other.
func modelWait(spent []time.Time, now time.Time, budgets []limit.Budget) time.Duration {
	for wait := time.Duration(0); ; wait++ {
		if !slices.ContainsFunc(budgets, func(b limit.Budget) bool {
			n := 0
			for _, at := range spent {
				if now.Add(wait).Sub(at) < b.Within {
					n++
				}
			}
			return n >= b.Events
		}) {
			return wait
		}
	}
}

// T72: however the clock jumps, nobody waits longer than the longest window.
func TestT72NoJumpOfTheClockShutsABudgetForLong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := newRows()
		b := limit.Budget{Events: rapid.IntRange(1, 4).Draw(t, "events"), Within: 100}
		now := start
		for range rapid.IntRange(1, 40).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(-1000, 1000).Draw(t, "jump")))
			if wait := spend(t, tx, "k", now, b); wait < 0 || wait > b.Within {
				t.Fatalf("wait = %d", wait)
			}
		}
		// These moments are two windows apart: no event counts in both.
		if spend(t, tx, "k", now.Add(2*b.Within), b) != 0 && spend(t, tx, "k", now.Add(4*b.Within), b) != 0 {
			t.Fatal("still shut after four windows")
		}
	})
}

// T72: a budget that is used up stays so when the clock is set back by no more
// than its window.
func TestT72AClockSetBackOpensNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := newRows()
		b := limit.Budget{Events: rapid.IntRange(1, 4).Draw(t, "events"), Within: 100}
		now := start
		for spend(t, tx, "k", now, b) == 0 {
			now = now.Add(time.Duration(rapid.IntRange(0, 24).Draw(t, "pause")))
		}
		back := now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "back")))
		if spend(t, tx, "k", back, b) == 0 {
			t.Fatalf("set back by %d, the clock opened it", now.Sub(back))
		}
	})
}

// In any stretch of Within at most Events different labels are used.
func TestLabelsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := newRows()
		b := limit.Budget{Events: rapid.IntRange(1, 4).Draw(t, "events"), Within: time.Duration(rapid.IntRange(1, 30).Draw(t, "within"))}
		lastUse := map[string]time.Time{}
		now := start
		for range rapid.IntRange(1, 80).Draw(t, "uses") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "pause")))
			label := fmt.Sprint(rapid.IntRange(0, 7).Draw(t, "label"))
			wait, err := limit.SpendLabel(context.Background(), tx, "k", label, now, b)
			if err != nil {
				t.Fatal(err)
			}
			others := 0
			for l, at := range lastUse {
				if l != label && now.Sub(at) < b.Within {
					others++
				}
			}
			if allowed := others < b.Events; allowed != (wait == 0) {
				t.Fatalf("%d other labels of at most %d, and a wait of %d", others, b.Events, wait)
			}
			if wait == 0 {
				lastUse[label] = now
			}
		}
	})
}

// An asker is a test or a property.
type asker interface {
	Helper()
	Fatal(...any)
}

func spend(t asker, tx store.Tx, key string, now time.Time, budgets ...limit.Budget) time.Duration {
	t.Helper()
	wait, err := limit.Spend(context.Background(), tx, key, now, budgets...)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func peek(t asker, tx store.Tx, key string, now time.Time, budgets ...limit.Budget) time.Duration {
	t.Helper()
	wait, err := limit.Peek(context.Background(), tx, key, now, budgets...)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func record(t asker, tx store.Tx, key string, now time.Time, budgets ...limit.Budget) {
	t.Helper()
	if err := limit.Record(context.Background(), tx, key, now, budgets...); err != nil {
		t.Fatal(err)
	}
}

func total(t asker, tx store.Tx, key string, now time.Time) int {
	t.Helper()
	n, err := limit.Total(context.Background(), tx, key, now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func forget(t asker, tx store.Tx, key string, now time.Time) {
	t.Helper()
	if err := limit.Clear(context.Background(), tx, key, now); err != nil {
		t.Fatal(err)
	}
}
