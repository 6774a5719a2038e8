package sqlstore

import (
	"context"

	"example.com/foyer/store"
)

var (
	users = newTable("foyer_users", "id", "email", "created", "roles")

	userByID    = users.where("id = $1")
	userByEmail = users.where("email = $1")
)

func userFields(u *store.User) []any {
	return []any{&u.ID, &u.Email, (*instant)(&u.Created), (*words)(&u.Roles)}
}

func (tx *tx) User(ctx context.Context, id string) (u store.User, err error) {
	err = tx.get(ctx, userFields(&u), userByID, id)
	return u, err
}

func (tx *tx) UserByEmail(ctx context.Context, email string) (u store.User, err error) {
	err = tx.get(ctx, userFields(&u), userByEmail, email)
	return u, err
}

func (tx *tx) PutUser(ctx context.Context, u store.User) error {
	return tx.put(ctx, users.upsert, userFields(&u))
}
