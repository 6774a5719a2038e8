package store

import (
	"context"
	"time"
)

// A User is a person who proved to own an e-mail address.
type User struct {
	ID      string // random: an address may pass to another person, an ID does not
	Email   string // normalised; unique
	Created time.Time
	Roles   []string // that the application gave to the user; a role holds no space
}

// Users are looked up by ID and by address.
type Users interface {
	User(ctx context.Context, id string) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)
	PutUser(ctx context.Context, u User) error

	// DeleteUser deletes a user and every record that is of the user alone: grants
	// with their tokens, challenges, operations and what browsers remember of them,
	// sessions, and whatever else holds the address. Events and counters stay.
	DeleteUser(ctx context.Context, id string) error
}
