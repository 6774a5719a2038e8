package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxEntries is how many entries one owner may keep; errFull names it.
const maxEntries = 10_000

const columns = `id, title, content, mood, location, weather, private, favorite, created, updated`

// create saves a draft under a new id.
func (j *Journal) create(ctx context.Context, owner string, d draft) (entry, error) {
	if owner == "" {
		return entry{}, errNobody
	}
	d, err := d.tidy()
	if err != nil {
		return entry{}, err
	}
	now := j.now().UTC().Truncate(time.Second)
	e := entry{ID: strings.ToLower(rand.Text()[:12]), draft: d, Created: now, Updated: now}
	done, err := j.db.ExecContext(ctx, `
		INSERT INTO entries (owner, `+columns+`, words)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
		WHERE (SELECT count(*) FROM entries WHERE owner = ?1) < ?13`,
		owner, e.ID, e.Title, e.Content, e.Mood, e.Location, e.Weather, e.Private, e.Favorite,
		now.Unix(), now.Unix(), e.words(), maxEntries)
	if err != nil {
		return entry{}, fmt.Errorf("journal: create: %w", err)
	}
	switch n, err := done.RowsAffected(); {
	case err != nil:
		return entry{}, fmt.Errorf("journal: create: %w", err)
	case n == 0:
		return entry{}, errFull
	}
	return e, nil
}

// get returns the owner's entry id.
func (j *Journal) get(ctx context.Context, owner, id string) (entry, error) {
	if owner == "" {
		return entry{}, errNobody
	}
	return scan(j.db.QueryRowContext(ctx, `SELECT `+columns+` FROM entries WHERE owner = ? AND id = ?`, owner, id))
}

// update makes a change to the owner's entry and returns what it became. A
// change that changes nothing leaves the time of the last one as it was.
func (j *Journal) update(ctx context.Context, owner string, c change) (entry, error) {
	if owner == "" {
		return entry{}, errNobody
	}
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return entry{}, fmt.Errorf("journal: update: %w", err)
	}
	defer tx.Rollback()
	e, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM entries WHERE owner = ? AND id = ?`, owner, c.ID))
	if err != nil {
		return entry{}, err
	}
	d, err := c.apply(e.draft).tidy()
	if err != nil {
		return entry{}, err
	}
	if d == e.draft {
		return e, nil
	}
	e.draft, e.Updated = d, j.now().UTC().Truncate(time.Second)
	_, err = tx.ExecContext(ctx, `
		UPDATE entries SET title = ?, content = ?, mood = ?, location = ?, weather = ?,
			private = ?, favorite = ?, words = ?, updated = ?
		WHERE owner = ? AND id = ?`,
		e.Title, e.Content, e.Mood, e.Location, e.Weather, e.Private, e.Favorite, e.words(), e.Updated.Unix(), owner, e.ID)
	if err != nil {
		return entry{}, fmt.Errorf("journal: update: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return entry{}, fmt.Errorf("journal: update: %w", err)
	}
	return e, nil
}

// remove deletes the owner's entry id and returns what it was.
func (j *Journal) remove(ctx context.Context, owner, id string) (entry, error) {
	if owner == "" {
		return entry{}, errNobody
	}
	return scan(j.db.QueryRowContext(ctx, `DELETE FROM entries WHERE owner = ? AND id = ? RETURNING `+columns, owner, id))
}

// scan reads one entry from a row of columns.
func scan(row interface{ Scan(...any) error }) (entry, error) {
	var e entry
	var created, updated int64
	err := row.Scan(&e.ID, &e.Title, &e.Content, &e.Mood, &e.Location, &e.Weather, &e.Private, &e.Favorite, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return entry{}, errMissing
	}
	if err != nil {
		return entry{}, fmt.Errorf("journal: read an entry: %w", err)
	}
	e.Created, e.Updated = time.Unix(created, 0).UTC(), time.Unix(updated, 0).UTC()
	return e, nil
}
