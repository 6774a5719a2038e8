// Package store is what the kit remembers, and the interface that a database
// implements to remember it.
//
// A store holds records and runs transactions. It decides nothing: that a claim
// happens once, or that a reused refresh token revokes its grant, are rules of
// the packages above, written once for every database. No record holds a secret
// in clear. Implementations prove themselves with
// [example.com/foyer/store/storetest].
//
// Every record that may be forgotten has a field Expires. Rules write it, read
// it, and refuse what has expired; [Tx.DeleteExpired] only clears away what no
// rule would accept any more. The zero time means never.
package store

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is returned by every look-up that finds no record.
var ErrNotFound = errors.New("store: not found")

// Hash is the SHA-256 of a secret. The store never sees the secret itself.
type Hash = [32]byte

// A Store runs transactions. It is safe for concurrent use.
type Store interface {
	// View runs fn in a read-only transaction that sees one moment in time. It
	// may run fn more than once. fn must not call the Store.
	View(ctx context.Context, fn func(Tx) error) error

	// Update runs fn in a serializable transaction: the result is as if
	// updates had run one after the other. It commits when fn returns nil;
	// otherwise it rolls back and returns fn's error unchanged. A commit is
	// durable before Update returns; after an error of the disk itself, what was
	// not acknowledged may yet be found when the database is next opened, whole
	// or not at all. An error of tx, other than [ErrNotFound],
	// fails the Update, whatever fn returns.
	//
	// fn may share a database transaction with others that wait at the same
	// time, and may run more than once: a group that fails is run again one by
	// one. So fn reads tx, computes and writes tx; it must not call the Store,
	// wait, or keep tx. It runs in the goroutine that called Update. A panic or
	// a cancelled context affects fn alone; one whose context ends before its
	// turn never runs. What fn computed counts only once Update has returned
	// nil; also a refusal of fn's rests on what was committed.
	Update(ctx context.Context, fn func(Tx) error) error

	// Bearer returns the access or refresh token with hash h, its grant and
	// its user. It is the one read outside a transaction, because every
	// request makes it, and it sees every Update that has returned.
	Bearer(ctx context.Context, h Hash) (Bearer, error)

	// Close waits for running transactions and releases the database. Calls
	// after it fail; another Close does nothing.
	Close() error
}

// A Tx reads and writes records inside one transaction. Put creates a record,
// or replaces the one that has the same key; a token or a challenge needs its
// grant to be there. A Tx must not be used after the function it was passed to
// returns, nor by two goroutines at once. In a View every Put fails.
type Tx interface {
	Clients
	Users
	Grants
	Tokens
	Redemptions
	Challenges
	Counters
	Browsers
	Outbox
	Operations
	Sessions
	Deletions
	Events

	// DeleteExpired deletes records whose Expires lies before the moment
	// before, at most limit of each kind, and the tokens and challenges of each
	// grant that it deletes. It returns how many records it deleted; a caller
	// asks again until that is 0.
	DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error)
}
