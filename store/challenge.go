package store

import (
	"context"
	"time"
)

// A Challenge expects the one-time code that was mailed to an address, in
// answer to one grant. It holds no digits: they are derived from its ID.
type Challenge struct {
	ID       string
	GrantID  string
	Epoch    int    // of the grant, when the challenge was made
	Asker    int    // the generation of the access token that asked; 0 where it is not known
	Email    string // normalised
	Digits   int    // how many digits its one-time code has
	KeyID    string // names the secret that derives them
	Muted    bool   // no mail was sent, and no digits answer it
	Attempts int    // answers that were compared
	State    string // one of the states that package signin names
	Created  time.Time
	Expires  time.Time // of the record; rules compute when the digits die from Created
}

// Challenges are looked up by ID, and by grant: the one that was first put last,
// whatever the clock said.
type Challenges interface {
	Challenge(ctx context.Context, id string) (Challenge, error)
	LatestChallenge(ctx context.Context, grantID string) (Challenge, error)
	PutChallenge(ctx context.Context, c Challenge) error
}

// A Counter remembers when something happened, for a budget. It is exact: it
// changes in the transaction of the act that it counts.
type Counter struct {
	Key     string      // holds no address in clear
	Total   int         // since the counter was last cleared
	Events  []time.Time // newest last; only as many as its budget looks back
	Labels  []string    // distinct values that were seen, where a budget counts those; no spaces
	Expires time.Time
}

// Counters are looked up by key.
type Counters interface {
	Counter(ctx context.Context, key string) (Counter, error)
	PutCounter(ctx context.Context, c Counter) error
}
