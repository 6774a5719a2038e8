package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxTags is how many tags one owner may keep; errManyTags names it.
const maxTags = 500

const tagColumns = `id, name, description, created, updated,
	(SELECT count(*) FROM entry_tags WHERE entry_tags.owner = tags.owner AND tag = tags.id)`

// createTag saves a draft under a new id.
func (j *Journal) createTag(ctx context.Context, owner string, d tagDraft) (tag, error) {
	if owner == "" {
		return tag{}, errNobody
	}
	d, err := d.tidy()
	if err != nil {
		return tag{}, err
	}
	now := j.now().UTC().Truncate(time.Second)
	t := tag{ID: newID(), tagDraft: d, Created: now, Updated: now}
	err = j.write(ctx, func(tx *sql.Tx) error {
		if err := unused(ctx, tx, owner, t); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			INSERT INTO tags (owner, id, name, description, key, created, updated)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?6 WHERE (SELECT count(*) FROM tags WHERE owner = ?1) < ?7`,
			owner, t.ID, t.Name, t.Description, t.key(), now.Unix(), maxTags)
		return one(done, err, "create a tag", errManyTags)
	})
	return t, err
}

// getTag returns the owner's tag id.
func (j *Journal) getTag(ctx context.Context, owner, id string) (tag, error) {
	if owner == "" {
		return tag{}, errNobody
	}
	return tagIn(ctx, j.db, owner, id)
}

// updateTag makes a change to the owner's tag and returns what it became.
func (j *Journal) updateTag(ctx context.Context, owner string, c tagChange) (t tag, err error) {
	if owner == "" {
		return tag{}, errNobody
	}
	err = j.write(ctx, func(tx *sql.Tx) error {
		if t, err = tagIn(ctx, tx, owner, c.ID); err != nil {
			return err
		}
		d, err := c.apply(t.tagDraft).tidy()
		if err != nil || d == t.tagDraft {
			return err
		}
		t.tagDraft, t.Updated = d, j.now().UTC().Truncate(time.Second)
		if err := unused(ctx, tx, owner, t); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE tags SET name = ?, description = ?, key = ?, updated = ? WHERE owner = ? AND id = ?`,
			t.Name, t.Description, t.key(), t.Updated.Unix(), owner, t.ID)
		return one(done, err, "update a tag", errNoTag)
	})
	return t, err
}

// removeTag deletes the owner's tag id, and takes it off every entry.
func (j *Journal) removeTag(ctx context.Context, owner, id string) error {
	if owner == "" {
		return errNobody
	}
	done, err := j.db.ExecContext(ctx, `DELETE FROM tags WHERE owner = ? AND id = ?`, owner, id)
	return one(done, err, "delete a tag", errNoTag)
}

// putTag puts the owner's tag on the owner's entry, and returns both. Once more
// changes nothing.
func (j *Journal) putTag(ctx context.Context, owner string, p pair) (e entry, t tag, err error) {
	if owner == "" {
		return entry{}, tag{}, errNobody
	}
	err = j.write(ctx, func(tx *sql.Tx) error {
		if _, err := entryIn(ctx, tx, owner, p.EntryID); err != nil {
			return err
		}
		if err := link(ctx, tx, owner, p.EntryID, []string{p.TagID}); err != nil {
			return err
		}
		if e, err = entryIn(ctx, tx, owner, p.EntryID); err != nil {
			return err
		}
		t, err = tagIn(ctx, tx, owner, p.TagID)
		return err
	})
	return e, t, err
}

// listTags returns a page of the owner's tags, by name.
func (j *Journal) listTags(ctx context.Context, owner string, at paging) (tagPage, error) {
	if owner == "" {
		return tagPage{}, errNobody
	}
	at, err := at.within()
	if err != nil {
		return tagPage{}, err
	}
	p := tagPage{Tags: []tag{}}
	if err := j.db.QueryRowContext(ctx, `SELECT count(*) FROM tags WHERE owner = ?`, owner).Scan(&p.Total); err != nil {
		return tagPage{}, fmt.Errorf("journal: count tags: %w", err)
	}
	rows, err := j.db.QueryContext(ctx, `SELECT `+tagColumns+` FROM tags WHERE owner = ? ORDER BY key LIMIT ? OFFSET ?`, owner, at.Limit, at.Offset)
	if err != nil {
		return tagPage{}, fmt.Errorf("journal: list tags: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		t, err := scanTag(rows)
		if err != nil {
			return tagPage{}, err
		}
		p.Tags = append(p.Tags, t)
	}
	if err := rows.Err(); err != nil {
		return tagPage{}, fmt.Errorf("journal: list tags: %w", err)
	}
	p.Next = at.next(len(p.Tags), p.Total)
	return p, nil
}

// unused refuses a name that another tag of the owner has.
func unused(ctx context.Context, tx *sql.Tx, owner string, t tag) error {
	var id string
	err := tx.QueryRowContext(ctx, `SELECT id FROM tags WHERE owner = ? AND key = ? AND id <> ?`, owner, t.key(), t.ID).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("journal: look for a tag: %w", err)
	}
	return problem(fmt.Sprintf("There is a tag with that name already. Use it: its id is %s.", id))
}

// link puts tags on an entry. Of another's tags it is told what it is told of none.
func link(ctx context.Context, tx *sql.Tx, owner, entry string, tags []string) error {
	tags = slices.Compact(slices.Sorted(slices.Values(tags)))
	list, err := json.Marshal(tags)
	if err != nil {
		return fmt.Errorf("journal: tags: %w", err)
	}
	var known int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM tags WHERE owner = ?1 AND id IN (SELECT value FROM json_each(?2))`, owner, string(list)).Scan(&known)
	switch {
	case err != nil:
		return fmt.Errorf("journal: look for tags: %w", err)
	case known < len(tags):
		return errNoTag
	}
	_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO entry_tags (owner, entry, tag) SELECT ?1, ?2, value FROM json_each(?3)`, owner, entry, string(list))
	if err != nil {
		return fmt.Errorf("journal: tag an entry: %w", err)
	}
	return nil
}

func tagIn(ctx context.Context, db queryer, owner, id string) (tag, error) {
	return scanTag(db.QueryRowContext(ctx, `SELECT `+tagColumns+` FROM tags WHERE owner = ? AND id = ?`, owner, id))
}

// scanTag reads one tag from a row of tagColumns.
func scanTag(row interface{ Scan(...any) error }) (tag, error) {
	var t tag
	var created, updated int64
	err := row.Scan(&t.ID, &t.Name, &t.Description, &created, &updated, &t.Entries)
	if errors.Is(err, sql.ErrNoRows) {
		return tag{}, errNoTag
	}
	if err != nil {
		return tag{}, fmt.Errorf("journal: read a tag: %w", err)
	}
	t.Created, t.Updated = time.Unix(created, 0).UTC(), time.Unix(updated, 0).UTC()
	return t, nil
}
