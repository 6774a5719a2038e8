package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxEntries is how many entries one owner may keep; errFull names it.
const maxEntries = 10_000

// tagsOf is the tags of an entry, as the JSON of labels.
const tagsOf = `(SELECT json_group_array(json_object('id', id, 'name', name)) FROM (
		SELECT tags.id, tags.name FROM entry_tags JOIN tags ON tags.owner = entry_tags.owner AND tags.id = entry_tags.tag
		WHERE entry_tags.owner = entries.owner AND entry_tags.entry = entries.id ORDER BY tags.key))`

const columns = `id, title, content, mood, location, weather, private, favorite, created, updated, ` + tagsOf

// create saves a draft under a new id.
func (j *Journal) create(ctx context.Context, owner string, d tagged) (e entry, err error) {
	if owner == "" {
		return entry{}, errNobody
	}
	if d.draft, err = d.tidy(); err != nil {
		return entry{}, err
	}
	id, now := newID(), j.now().Unix()
	err = j.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `
			INSERT INTO entries (owner, id, title, content, mood, location, weather, private, favorite, created, updated, words)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11
			WHERE (SELECT count(*) FROM entries WHERE owner = ?1) < ?12`,
			owner, id, d.Title, d.Content, d.Mood, d.Location, d.Weather, d.Private, d.Favorite, now, d.words(), maxEntries)
		if err := one(done, err, "create an entry", errFull); err != nil {
			return err
		}
		if err := link(ctx, tx, owner, id, d.Tags); err != nil {
			return err
		}
		e, err = entryIn(ctx, tx, owner, id)
		return err
	})
	return e, err
}

// get returns the owner's entry id.
func (j *Journal) get(ctx context.Context, owner, id string) (entry, error) {
	if owner == "" {
		return entry{}, errNobody
	}
	return entryIn(ctx, j.db, owner, id)
}

// update makes a change to the owner's entry and returns what it became. A
// change that changes nothing leaves the time of the last one as it was.
func (j *Journal) update(ctx context.Context, owner string, c change) (e entry, err error) {
	if owner == "" {
		return entry{}, errNobody
	}
	err = j.write(ctx, func(tx *sql.Tx) error {
		if e, err = entryIn(ctx, tx, owner, c.ID); err != nil {
			return err
		}
		d, err := c.apply(e.draft).tidy()
		if err != nil || d == e.draft {
			return err
		}
		e.draft, e.Updated = d, j.now().UTC().Truncate(time.Second)
		done, err := tx.ExecContext(ctx, `
			UPDATE entries SET title = ?, content = ?, mood = ?, location = ?, weather = ?,
				private = ?, favorite = ?, words = ?, updated = ?
			WHERE owner = ? AND id = ?`,
			d.Title, d.Content, d.Mood, d.Location, d.Weather, d.Private, d.Favorite, d.words(), e.Updated.Unix(), owner, e.ID)
		return one(done, err, "update an entry", errMissing)
	})
	return e, err
}

// remove deletes the owner's entry id, and takes its tags off it.
func (j *Journal) remove(ctx context.Context, owner, id string) error {
	if owner == "" {
		return errNobody
	}
	done, err := j.db.ExecContext(ctx, `DELETE FROM entries WHERE owner = ? AND id = ?`, owner, id)
	return one(done, err, "delete an entry", errMissing)
}

// newID returns 60 random bits.
func newID() string { return strings.ToLower(rand.Text()[:12]) }

// one returns none unless a row was written, or what went wrong.
func one(done sql.Result, err error, what string, none problem) error {
	if err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	switch n, err := done.RowsAffected(); {
	case err != nil:
		return fmt.Errorf("journal: %s: %w", what, err)
	case n == 0:
		return none
	}
	return nil
}

func entryIn(ctx context.Context, db queryer, owner, id string) (entry, error) {
	return scan(db.QueryRowContext(ctx, `SELECT `+columns+` FROM entries WHERE owner = ? AND id = ?`, owner, id))
}

// scan reads one entry from a row of columns.
func scan(row interface{ Scan(...any) error }) (entry, error) {
	var e entry
	var created, updated int64
	var tags []byte
	err := row.Scan(&e.ID, &e.Title, &e.Content, &e.Mood, &e.Location, &e.Weather, &e.Private, &e.Favorite, &created, &updated, &tags)
	if errors.Is(err, sql.ErrNoRows) {
		return entry{}, errMissing
	}
	if err == nil {
		err = json.Unmarshal(tags, &e.Tags)
	}
	if err != nil {
		return entry{}, fmt.Errorf("journal: read an entry: %w", err)
	}
	e.Created, e.Updated = time.Unix(created, 0).UTC(), time.Unix(updated, 0).UTC()
	return e, nil
}
