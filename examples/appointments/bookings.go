package appointments

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"example.com/foyer/confirm"
	"example.com/foyer/store"
)

// maxBookings is how many slots one owner may have ahead; errFull names it.
const maxBookings = 5

// A booking is a slot that somebody has.
type booking struct {
	id string
	slot
}

// taken returns who has the slots that begin after the moment now.
func taken(ctx context.Context, db store.SQL, now time.Time) (map[slot]string, error) {
	owners := map[slot]string{}
	err := each(ctx, db, func(rows *sql.Rows) error {
		var s slot
		var owner string
		err := rows.Scan(&s.practitioner, &s.starts, &owner)
		owners[s] = owner
		return err
	}, `SELECT practitioner, starts, owner FROM appointments_bookings WHERE starts > $1`, now.Unix())
	return owners, err
}

// bookingsOf returns the owner's bookings that begin after the moment now, the next
// one first.
func bookingsOf(ctx context.Context, db store.SQL, owner string, now time.Time) (all []booking, err error) {
	if owner == "" {
		return nil, errNobody
	}
	err = each(ctx, db, func(rows *sql.Rows) error {
		var b booking
		err := rows.Scan(&b.id, &b.practitioner, &b.starts)
		all = append(all, b)
		return err
	}, `SELECT id, practitioner, starts FROM appointments_bookings WHERE owner = $1 AND starts > $2 ORDER BY starts, practitioner`, owner, now.Unix())
	return all, err
}

// find returns the owner's booking id, which must lie ahead at the moment now.
func find(ctx context.Context, db store.SQL, owner, id string, now time.Time) (b booking, err error) {
	if owner == "" {
		return booking{}, errNobody
	}
	err = each(ctx, db, func(rows *sql.Rows) error { return rows.Scan(&b.id, &b.practitioner, &b.starts) },
		`SELECT id, practitioner, starts FROM appointments_bookings WHERE owner = $1 AND id = $2`, owner, id)
	switch {
	case err != nil:
		return booking{}, err
	case b.id == "":
		return booking{}, errMissing
	case !b.start().After(now):
		return booking{}, errOver
	}
	return b, nil
}

// insert gives s to owner. It refuses with [confirm.ErrStale] where somebody has it.
func insert(ctx context.Context, db store.SQL, owner string, s slot) (booking, error) {
	b := booking{newID(), s}
	done, err := db.Exec(ctx, `
		INSERT INTO appointments_bookings (id, owner, practitioner, starts) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`, b.id, owner, s.practitioner, s.starts) // a statement that fails would fail the transaction
	return b, one(done, err, "book")
}

// move gives to in the place of b's slot, to b's owner. It refuses with
// [confirm.ErrStale] where b is not the owner's any more, or for another slot.
func move(ctx context.Context, db store.SQL, owner string, b booking, to slot) (booking, error) {
	done, err := db.Exec(ctx, `
		UPDATE appointments_bookings SET practitioner = $1, starts = $2
		WHERE owner = $3 AND id = $4 AND practitioner = $5 AND starts = $6`,
		to.practitioner, to.starts, owner, b.id, b.practitioner, b.starts)
	return booking{b.id, to}, one(done, err, "move")
}

// remove takes b from its owner. It refuses as [move] does.
func remove(ctx context.Context, db store.SQL, owner string, b booking) error {
	done, err := db.Exec(ctx, `
		DELETE FROM appointments_bookings
		WHERE owner = $1 AND id = $2 AND practitioner = $3 AND starts = $4`,
		owner, b.id, b.practitioner, b.starts)
	return one(done, err, "cancel")
}

// one refuses unless a row was written.
func one(done sql.Result, err error, what string) error {
	var n int64
	if err == nil {
		n, err = done.RowsAffected()
	}
	switch {
	case err != nil:
		return fmt.Errorf("appointments: %s: %w", what, err)
	case n == 0:
		return confirm.ErrStale
	}
	return nil
}

// newID returns 60 random bits.
func newID() string { return strings.ToLower(rand.Text()[:12]) }
