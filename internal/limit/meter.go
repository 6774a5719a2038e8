package limit

import (
	"sync"
	"time"
)

// A Meter counts what happened lately, in the process. It is safe for
// concurrent use.
type Meter struct {
	slot time.Duration

	mu    sync.Mutex
	slots [slots]int
	last  int64 // number of the newest slot
}

const slots = 60

// NewMeter returns a Meter of the last within, which it knows to a sixtieth.
func NewMeter(within time.Duration) *Meter { return &Meter{slot: max(within/slots, 1)} }

// Add counts one event.
func (m *Meter) Add(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance(now)
	m.slots[m.last%slots]++
}

// Count returns how many events were counted lately.
func (m *Meter) Count(now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance(now)
	n := 0
	for _, events := range m.slots {
		n += events
	}
	return n
}

// advance empties the slots whose time has come again. Where the clock was set
// back, all that was counted counts as if it had happened now.
func (m *Meter) advance(now time.Time) {
	slot := now.UnixNano() / int64(m.slot)
	if slot < m.last {
		n := 0
		for _, events := range m.slots {
			n += events
		}
		m.slots = [slots]int{}
		m.slots[slot%slots] = n
		m.last = slot
		return
	}
	for i := max(m.last+1, slot-slots+1); i <= slot; i++ {
		m.slots[i%slots] = 0
	}
	m.last = slot
}
