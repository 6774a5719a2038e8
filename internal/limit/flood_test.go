package limit

import (
	"fmt"
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	m := NewMeter(time.Hour)
	for range 7 {
		m.Add(start)
	}
	m.Add(start.Add(30 * time.Minute))
	for _, step := range []struct {
		name  string
		after time.Duration
		want  int
	}{
		{"both are seen", 31 * time.Minute, 8},
		{"to the end of the hour", 58 * time.Minute, 8},
		{"the first are over", 61 * time.Minute, 1},
		{"a clock set back forgets nothing", 0, 1},
		{"and keeps nothing for long", 61 * time.Minute, 0},
		{"a day later nothing is left", 24 * time.Hour, 0},
	} {
		if got := m.Count(start.Add(step.after)); got != step.want {
			t.Errorf("%s: Count = %d, want %d", step.name, got, step.want)
		}
	}
}

func TestAClockThatJumpsNeverKeepsAMeterFull(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	m := NewMeter(time.Hour)
	m.Add(now.Add(1000 * time.Hour)) // the clock was wrong
	if got := m.Count(now); got != 1 {
		t.Errorf("set back: Count = %d, want 1", got)
	}
	if got := m.Count(now.Add(61 * time.Minute)); got != 0 {
		t.Errorf("an hour later: Count = %d, want 0", got)
	}
}

func TestEgress(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	e := NewEgress(3, time.Hour)
	spent := 0
	for range 10 {
		if _, ok := e.Allow("a", "one grant", now); ok {
			spent++
		}
	}
	if spent != 3 || e.Within("a", now) {
		t.Errorf("one grant at one address spent %d of 3; room for more: %v", spent, e.Within("a", now))
	}
	if !e.Within("b", now) {
		t.Error("another address has no room")
	}
	spent = 0
	for i := range 100 {
		if _, ok := e.Allow("shared", fmt.Sprint("grant ", i), now); ok {
			spent++
		}
	}
	if spent != 3+60 { // three before it is known to be shared, then twenty times as many
		t.Errorf("a shared address spent %d, want 63", spent)
	}
	if later := now.Add(2 * time.Hour); !e.Within("shared", later) {
		t.Error("two hours later there is no room")
	}
}

// What is of no grant never makes an address a shared one, however often it comes, and
// has the room of one that grants have made so.
func TestEgressOfNoGrant(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	e := NewEgress(3, time.Hour)
	spend := func(key, grantID string, n int) (spent int) {
		for i := range n {
			name := grantID
			if name != "" {
				name += fmt.Sprint(i)
			}
			if _, ok := e.Allow(key, name, now); ok {
				spent++
			}
		}
		return spent
	}
	if n := spend("a", "", 100); n != 3 || e.Within("a", now) {
		t.Errorf("one address spent %d of 3; room for more: %v", n, e.Within("a", now))
	}
	if n := spend("a", "grant ", 1); n != 0 {
		t.Errorf("a grant of the same address spent %d more", n)
	}
	spend("hosted", "grant ", sharedBy)
	if n := spend("hosted", "", 100); n != 59 {
		t.Errorf("at a shared address %d were spent, want 59", n)
	}
	now = now.Add(time.Hour)
	if n := spend("hosted", "", 100); n != 3 {
		t.Errorf("an hour later %d were spent of an address that nobody shares any more", n)
	}
}
