package sqlstore

import (
	"context"
	"fmt"

	"example.com/foyer/store"
)

var (
	sessions = newTable("foyer_sessions", "hash", "user_id", "level", "auth_time", "created", "used", "challenge", "email", "digits",
		"key_id", "muted", "attempts", "asked", "expires", "language", "known_user_id")

	sessionByHash      = sessions.where("hash = $1")
	sessionByChallenge = sessions.where("challenge = $1 AND challenge <> ''")                         // the condition is the index's
	sessionsOfUser     = sessions.where("user_id = $1 AND user_id <> '' ORDER BY created DESC, hash") // likewise
	sessionDelete      = fmt.Sprintf("DELETE FROM %s WHERE hash = $1", sessions.name)
)

func sessionFields(s *store.Session) []any {
	return []any{(*hash)(&s.Hash), &s.UserID, &s.Level, (*instant)(&s.AuthTime), (*instant)(&s.Created), (*instant)(&s.Used), &s.Challenge, &s.Email, &s.Digits,
		&s.KeyID, (*flag)(&s.Muted), &s.Attempts, (*instant)(&s.Asked), (*instant)(&s.Expires), &s.Language, &s.KnownUserID}
}

func (tx *tx) Session(ctx context.Context, h store.Hash) (s store.Session, err error) {
	err = tx.get(ctx, sessionFields(&s), sessionByHash, (*hash)(&h))
	return s, err
}

func (tx *tx) SessionByChallenge(ctx context.Context, id string) (s store.Session, err error) {
	err = tx.get(ctx, sessionFields(&s), sessionByChallenge, id)
	return s, err
}

func (tx *tx) SessionsOfUser(ctx context.Context, userID string) (all []store.Session, err error) {
	err = tx.each(ctx, func(scan func(...any) error) error {
		var s store.Session
		err := scan(sessionFields(&s)...)
		all = append(all, s)
		return err
	}, sessionsOfUser, userID)
	return all, err
}

func (tx *tx) PutSession(ctx context.Context, s store.Session) error {
	return tx.put(ctx, sessions.upsert, sessionFields(&s))
}

func (tx *tx) DeleteSession(ctx context.Context, h store.Hash) error {
	_, err := tx.exec(ctx, sessionDelete, (*hash)(&h))
	return err
}
