package sqlstore

import (
	"context"
	"time"

	"example.com/foyer/store"
)

var (
	deletions = newTable("foyer_deletions", "user_id", "asked", "until", "tries", "due", "language")

	deletionOfUser = deletions.where("user_id = $1")
	deletionsDue   = deletions.where("due <= $1 ORDER BY due, user_id LIMIT $2")
	deletionDrop   = "DELETE FROM foyer_deletions WHERE user_id = $1"
)

func deletionFields(d *store.Deletion) []any {
	return []any{&d.UserID, (*instant)(&d.Asked), (*instant)(&d.Until), &d.Tries, (*instant)(&d.Due), &d.Language}
}

func (tx *tx) Deletion(ctx context.Context, userID string) (d store.Deletion, err error) {
	err = tx.get(ctx, deletionFields(&d), deletionOfUser, userID)
	return d, err
}

func (tx *tx) DeletionsDue(ctx context.Context, now time.Time, limit int) (due []store.Deletion, err error) {
	err = tx.each(ctx, func(scan func(...any) error) error {
		var d store.Deletion
		err := scan(deletionFields(&d)...)
		due = append(due, d)
		return err
	}, deletionsDue, (*instant)(&now), max(limit, 0))
	return due, err
}

func (tx *tx) PutDeletion(ctx context.Context, d store.Deletion) error {
	return tx.put(ctx, deletions.upsert, deletionFields(&d))
}

func (tx *tx) DropDeletion(ctx context.Context, userID string) error {
	_, err := tx.exec(ctx, deletionDrop, userID)
	return err
}

const (
	grantIDsOfUser = "(SELECT id FROM foyer_grants WHERE user_id = $1 AND user_id <> '')" // the condition is the index's
	addressOfUser  = "(SELECT email FROM foyer_users WHERE id = $1)"
)

// userDeletes clear away what is of one user, and run in this order: what is found
// by the user's grants and address goes before them.
var userDeletes = []string{
	"DELETE FROM foyer_sessions WHERE user_id = $1 AND user_id <> ''",
	"DELETE FROM foyer_sessions WHERE email = " + addressOfUser + " AND email <> ''",
	"DELETE FROM foyer_challenges WHERE email = " + addressOfUser,
	"DELETE FROM foyer_challenges WHERE grant_id IN " + grantIDsOfUser,
	"DELETE FROM foyer_tokens WHERE grant_id IN " + grantIDsOfUser,
	"DELETE FROM foyer_browsers WHERE grant_id IN " + grantIDsOfUser,
	"DELETE FROM foyer_operations WHERE user_id = $1 AND user_id <> ''",
	"DELETE FROM foyer_operations WHERE grant_id IN " + grantIDsOfUser,
	"DELETE FROM foyer_grants WHERE user_id = $1 AND user_id <> ''",
	deletionDrop,
	"DELETE FROM foyer_users WHERE id = $1",
}

func (tx *tx) DeleteUser(ctx context.Context, id string) error {
	for _, query := range userDeletes {
		if _, err := tx.exec(ctx, query, id); err != nil {
			return err
		}
	}
	return nil
}
