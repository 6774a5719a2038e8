package store

import (
	"context"
	"time"
)

// A Deletion is that of a user, which can be taken back for a while.
type Deletion struct {
	UserID   string
	Asked    time.Time
	Until    time.Time // it can be taken back before
	Tries    int       // begun; it can be taken back only while there are none
	Due      time.Time // when somebody has to look at it
	Language string    // of the mail about it, as a tag (BCP 47); or empty
}

// Deletions are looked up by user. A user who is deleted takes theirs along.
type Deletions interface {
	Deletion(ctx context.Context, userID string) (Deletion, error)
	// DeletionsDue returns those that are due at the moment now, the longest due
	// first, at most limit.
	DeletionsDue(ctx context.Context, now time.Time, limit int) ([]Deletion, error)
	PutDeletion(ctx context.Context, d Deletion) error
	DropDeletion(ctx context.Context, userID string) error
}
