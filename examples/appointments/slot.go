package appointments

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// A practitioner has a key, which stands in the names of slots, and a name.
type practitioner struct{ key, name string }

var practitioners = []practitioner{{"ames", "Dr. Ames"}, {"brandt", "Dr. Brandt"}, {"okafor", "Dr. Okafor"}}

// Hours of the practice, in UTC, Monday to Friday.
const (
	opens  = 9 * time.Hour // after midnight
	closes = 16 * time.Hour
	lasts  = 30 * time.Minute // one slot
	ahead  = 14               // days that can be booked, after today
)

// A slot is half an hour of one practitioner. It is made from the clock, and never
// stored by itself: what is stored is who has it.
type slot struct {
	practitioner string // key
	starts       int64  // seconds since 1970
}

const nameLayout = "2006-01-02T15:04Z"

// name is what tools call the slot, such as ames-2026-11-24T10:00Z.
func (s slot) name() string { return s.practitioner + "-" + s.start().Format(nameLayout) }

func (s slot) start() time.Time { return time.Unix(s.starts, 0).UTC() }
func (s slot) end() time.Time   { return s.start().Add(lasts) }

// words say when and with whom, to a person.
func (s slot) words() string {
	return s.start().Format("Monday 2 January 2006, 15:04") + s.end().Format(" to 15:04 UTC, with ") + nameOf(s.practitioner)
}

// parse reads a name, and refuses what the practice does not offer on any day. Whether
// the slot lies ahead is another question; see [slot.open].
func parse(name string) (slot, error) {
	key, at, _ := strings.Cut(strings.TrimSpace(name), "-")
	start, err := time.Parse(nameLayout, at)
	s := slot{key, start.Unix()}
	if err != nil || !slices.Contains(slices.Collect(slotsOf(start)), s) {
		return slot{}, errNoSlot
	}
	return s, nil
}

// open refuses a slot that has begun at the moment now, or lies too far ahead.
func (s slot) open(now time.Time) error {
	switch {
	case !s.start().After(now):
		return errPast
	case !s.start().Before(midnight(now).AddDate(0, 0, ahead+1)):
		return errFar
	}
	return nil
}

// slotsOf yields all slots of the day of t, in the order of time: none at a weekend.
func slotsOf(t time.Time) iter.Seq[slot] {
	return func(yield func(slot) bool) {
		day := midnight(t)
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			return
		}
		for at := opens; at < closes; at += lasts {
			for _, p := range practitioners {
				if !yield(slot{p.key, day.Add(at).Unix()}) {
					return
				}
			}
		}
	}
}

// slotsAhead yields all slots that can be booked at the moment now, in the order of
// time.
func slotsAhead(now time.Time) iter.Seq[slot] {
	return func(yield func(slot) bool) {
		for day := range ahead + 1 {
			for s := range slotsOf(midnight(now).AddDate(0, 0, day)) {
				if s.start().After(now) && !yield(s) {
					return
				}
			}
		}
	}
}

// midnight is the beginning of the day of t, in UTC.
func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// nameOf returns the name of the practitioner with that key.
func nameOf(key string) string {
	for _, p := range practitioners {
		if p.key == key {
			return p.name
		}
	}
	return key
}

// keyOf returns the key of a practitioner, by key or by name, in any case.
func keyOf(called string) (string, error) {
	for _, p := range practitioners {
		if called = strings.TrimSpace(called); strings.EqualFold(called, p.key) || strings.EqualFold(called, p.name) {
			return p.key, nil
		}
	}
	return "", errNoPractitioner
}

// A view is a slot as tools show it.
type view struct {
	Slot         string    `json:"slot" jsonschema:"the name of the slot"`
	Practitioner string    `json:"practitioner"`
	Start        time.Time `json:"start" jsonschema:"UTC"`
	End          time.Time `json:"end" jsonschema:"UTC"`
}

func (s slot) view() view { return view{s.name(), nameOf(s.practitioner), s.start(), s.end()} }
