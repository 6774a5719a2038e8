package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	shards       = 64
	keysPerShard = 2048
)

// A Rate allows a number of events in a stretch of time, for each of many keys.
// It keeps one instant for each key (the generic cell rate algorithm), in the
// process: a restart forgets it, and every process has its own. It is safe for
// concurrent use.
//
// A key that was quiet may spend all its events at once, and has one more
// after each part per/events of the time. So in any stretch of per there are
// fewer than twice as many events as were asked for.
//
// A Rate remembers at most 131,072 keys. While it is full of keys that still
// count, newcomers share what one key may do among those of the same
// sixty-fourth: too many addresses make the limit tighter, never loose.
type Rate struct {
	interval int64 // nanoseconds from one event to the next
	burst    int64 // nanoseconds that may be spent ahead
	seed     maphash.Seed
	shards   [shards]shard
}

type shard struct {
	mu        sync.Mutex
	next      map[uint64]int64 // by hash of the key, when it has all its events again, in Unix nanoseconds
	newcomers int64            // the same, for all keys that found no place
	swept     int64
}

// NewRate returns a Rate that allows events in any per. Where one of them is
// not positive, it allows nothing.
func NewRate(events int, per time.Duration) *Rate {
	r := &Rate{seed: maphash.MakeSeed()}
	if events > 0 && per > 0 {
		r.interval = (int64(per)-1)/int64(events) + 1 // rounded up, or many events would be free
		r.burst = r.interval * int64(events)
	}
	return r
}

// Allow counts one event of key, if there is room for it. Otherwise it counts
// nothing and returns how long until there is, or [Never].
func (r *Rate) Allow(key string, now time.Time) (wait time.Duration, ok bool) {
	return r.ask(key, now.UnixNano(), true)
}

// Peek is what [Rate.Allow] would return, and counts nothing.
func (r *Rate) Peek(key string, now time.Time) (wait time.Duration, ok bool) {
	return r.ask(key, now.UnixNano(), false)
}

func (r *Rate) ask(key string, now int64, count bool) (wait time.Duration, ok bool) {
	if r.interval == 0 {
		return Never, false
	}
	h := maphash.String(r.seed, key)
	s := &r.shards[h%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.hasRoom(h, now, r.burst)
	next := s.newcomers
	if known {
		next = s.next[h]
	}
	if next > now+r.burst { // only where the clock was set back; written at once, or the key would wait for the old time
		next = now + r.burst
		s.put(known, h, next)
	}
	next = max(next, now) + r.interval // nothing is saved up while a key is quiet
	if over := next - now - r.burst; over > 0 {
		return time.Duration(over), false
	}
	if count {
		s.put(known, h, next)
	}
	return 0, true
}

// hasRoom reports whether the key with hash h has a place in s or can be given
// one. A full shard forgets the keys that have all their events again, but
// looks for them only now and then, because it looks at all of them.
func (s *shard) hasRoom(h uint64, now, burst int64) bool {
	if _, ok := s.next[h]; ok || len(s.next) < keysPerShard {
		return true
	}
	if since := now - s.swept; 0 <= since && since < int64(100*time.Millisecond) {
		return false
	}
	s.swept = now
	for key, next := range s.next {
		if next <= now {
			delete(s.next, key)
		} else {
			s.next[key] = min(next, now+burst)
		}
	}
	return len(s.next) < keysPerShard
}

func (s *shard) put(known bool, h uint64, next int64) {
	if !known {
		s.newcomers = next
		return
	}
	if s.next == nil {
		s.next = map[uint64]int64{}
	}
	s.next[h] = next
}
