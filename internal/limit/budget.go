// Package limit holds the budgets: how often something may happen.
//
// There are two sorts. A [Budget] is a row of the store, exact, spent in the
// transaction of the act that it counts: per challenge, grant and address. A
// [Rate] lives in the process and costs nanoseconds: per client address and for
// everyone together, where one hot row would serialize everything. Its
// overshoot is stated.
package limit

import (
	"math"
	"time"

	"example.com/foyer/store"
)

// A Budget allows at most Events in any stretch of Within. Where several are
// given for one key, all of them must have room. A key always goes with the
// same budgets.
//
// The zero Budget allows nothing, and neither does one without a positive
// number of events or, unless Total is set, a positive Within.
type Budget struct {
	Events int
	Within time.Duration

	// Total makes the budget one for a lifetime: it counts all events since
	// [Clear]. Within is then how long after the last of them they are
	// remembered; 0 is forever.
	Total bool
}

// Never is the wait for what no waiting opens.
const Never time.Duration = math.MaxInt64

// wait is how long until b has room for one more event, given the counter as it
// stands at now.
func (b Budget) wait(c store.Counter, now time.Time) time.Duration {
	switch {
	case b.Events <= 0 || b.Within < 0 || b.Within == 0 && !b.Total:
		return Never
	case b.Total && c.Total < b.Events:
		return 0
	case b.Total && c.Expires.IsZero():
		return Never
	case b.Total:
		return c.Expires.Sub(now)
	case len(c.Events) < b.Events:
		return 0
	}
	// The stretch that ends now has room once the oldest of the newest
	// b.Events events has left it.
	return max(0, c.Events[len(c.Events)-b.Events].Add(b.Within).Sub(now))
}

// waitAll is how long until every budget has room. No budget at all is no
// permission.
func waitAll(budgets []Budget, c store.Counter, now time.Time) time.Duration {
	if len(budgets) == 0 {
		return Never
	}
	longest := time.Duration(0)
	for _, b := range budgets {
		longest = max(longest, b.wait(c, now))
	}
	return longest
}

// add counts one event at now and forgets what no budget looks back to.
func add(c store.Counter, now time.Time, budgets []Budget) store.Counter {
	kept := 0
	for _, b := range budgets {
		if !b.Total {
			kept = max(kept, b.Events)
		}
	}
	c.Total++
	c.Events = append(c.Events, now)
	c.Events = c.Events[max(0, len(c.Events)-kept):]
	c.Expires = expiry(budgets, now)
	return c
}

// expiry is when no budget asks for a counter any more that counted an event at
// now; zero for never.
func expiry(budgets []Budget, now time.Time) time.Time {
	for _, b := range budgets {
		if b.Total && b.Within == 0 {
			return time.Time{}
		}
	}
	return now.Add(longest(budgets, true))
}

// longest is the longest Within of budgets, those for a lifetime included or
// not.
func longest(budgets []Budget, total bool) time.Duration {
	d := time.Duration(0)
	for _, b := range budgets {
		if total || !b.Total {
			d = max(d, b.Within)
		}
	}
	return d
}
