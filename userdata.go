package foyer

import (
	"context"
	"io"
	"time"

	"example.com/foyer/internal/archive"
	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// UserData is what an application keeps for its users, under [gate.Caller.Owner].
// Users can take a copy of it on the account page, and have it deleted.
type UserData interface {
	// Export adds what is kept of a user to a zip, below the folder app. create
	// begins a file there, by a path with slashes such as "entries/2026.md", which
	// ends where the next one begins. An error of either fails the whole. There is a
	// limit of two minutes and 1 GiB.
	Export(ctx context.Context, userID string, create func(name string) (io.Writer, error)) error

	// Delete deletes all that is kept of an owner, for good: of a user, or of a guest
	// whom the user was before signing in. It is called once the time is over in
	// which the user could stay, and again until it returns nil: perhaps after it
	// has done all or a part, in another process, also at once. Then it finds less
	// to delete, or nothing. There is a limit of one minute for each call.
	Delete(ctx context.Context, ownerID string) error
}

// DeleteUser ends all that a user has allowed, and every session in a browser, at
// once. In seven days all that is kept of the user is deleted, by [UserData.Delete] and
// in the store; until then [Kit.KeepUser] takes that back, and so can the user, whom
// a mail tells how. It returns when that will be. The user is [User.ID]. It refuses
// with [ErrNoUser].
func (k *Kit) DeleteUser(ctx context.Context, userID string) (time.Time, error) {
	d, err := k.grants.DeleteUser(ctx, userID)
	if err == nil && k.mail != nil {
		k.mail.Wake()
	}
	return d.Until, refusalOf(err)
}

// KeepUser takes the deletion of a user back. What has ended stays ended. It refuses
// with [ErrNotLeaving].
func (k *Kit) KeepUser(ctx context.Context, userID string) error {
	return refusalOf(k.grants.Keep(ctx, userID, store.ByApp))
}

// ExportUser writes a copy of what is kept of a user to w: the zip that the user gets on
// the account page. It writes nothing before it has all. It refuses with [ErrNoUser],
// and with [ErrNotLeaving] once the user's deletion has begun.
func (k *Kit) ExportUser(ctx context.Context, userID string, w io.Writer) error {
	held, err := k.grants.ExportUser(ctx, userID)
	if err != nil {
		return refusalOf(err)
	}
	a, err := k.archived(ctx, held)
	if err != nil {
		return err
	}
	defer a.Close()
	_, err = io.Copy(w, a)
	return err
}

// export is what the account page answers with.
func (k *Kit) export(ctx context.Context, v grant.Visit) (*archive.Archive, error) {
	held, err := k.grants.Export(ctx, v)
	if err != nil {
		return nil, err
	}
	return k.archived(ctx, held)
}

// archived is held, and what the application adds.
func (k *Kit) archived(ctx context.Context, held grant.Held) (*archive.Archive, error) {
	names, err := k.clientNames(ctx, held.Grants)
	if err != nil {
		return nil, err
	}
	return k.archives.Build(ctx, held.User.ID, func(ctx context.Context, create archive.Create) error {
		w, err := create("foyer.json")
		if err != nil {
			return err
		}
		if err := k.copyOf(held, names).write(w); err != nil || k.cfg.UserData == nil {
			return err
		}
		return k.cfg.UserData.Export(ctx, held.User.ID, func(name string) (io.Writer, error) { return create("app/" + name) })
	})
}
