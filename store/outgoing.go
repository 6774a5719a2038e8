package store

import (
	"context"
	"time"
)

// An Outgoing is a mail that waits to be sent. It names what the mail is about;
// the words are made when it is sent, so that no digits lie in the queue.
type Outgoing struct {
	ID       string
	Kind     string // which mail
	Subject  string // the record that the mail is about: the ID of a challenge or a grant
	Attempts int    // deliveries that failed
	Due      time.Time
	Created  time.Time
	Expires  time.Time // after that, the mail is worth nothing
}

// Outbox holds the mails that wait.
type Outbox interface {
	// DueOutgoing returns the mails that are due at now, the ones that wait
	// longest first, at most limit.
	DueOutgoing(ctx context.Context, now time.Time, limit int) ([]Outgoing, error)
	// NextDue returns when the earliest waiting mail is due, or ErrNotFound.
	NextDue(ctx context.Context) (time.Time, error)
	PutOutgoing(ctx context.Context, o Outgoing) error
	DeleteOutgoing(ctx context.Context, id string) error
}
