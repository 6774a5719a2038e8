package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/foyer/gate"
)

const (
	maxDrafts = 20
	maxDraft  = 20_000              // characters
	abandoned = 90 * 24 * time.Hour // the longest that a guest's connection lives
)

const (
	errNoDraft    = problem("There is no draft with that id. Call list_drafts to see the ids.")
	errEmptyDraft = problem("A draft needs some text. Ask the person what to keep, then call again.")
)

// A note is a draft that was kept: words on the way to an entry. Whoever has not
// signed in can keep some, too.
type note struct {
	ID      string    `json:"id" jsonschema:"names the draft in other calls"`
	Text    string    `json:"text"`
	Updated time.Time `json:"updated" jsonschema:"RFC 3339, UTC"`
}

const noteColumns = `id, text, updated`

// keep saves text under id, or under a new one where id is empty.
func (j *Journal) keep(ctx context.Context, c gate.Caller, id, text string) (note, error) {
	text = strings.TrimSpace(withoutNUL(text))
	n := note{ID: id, Text: text, Updated: j.now().UTC().Truncate(time.Second)}
	switch {
	case c.Owner() == "":
		return note{}, errNobody
	case text == "":
		return note{}, errEmptyDraft
	case utf8.RuneCountInString(text) > maxDraft:
		return note{}, problem(fmt.Sprintf("The draft has %d characters, and at most %d fit. Shorten it, or keep it as two, then call again.", utf8.RuneCountInString(text), maxDraft))
	}
	err := j.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM drafts WHERE guest AND updated < ?`, n.Updated.Add(-abandoned).Unix()); err != nil {
			return fmt.Errorf("journal: clear drafts away: %w", err)
		}
		if id != "" {
			done, err := tx.ExecContext(ctx, `UPDATE drafts SET text = ?, updated = ? WHERE owner = ? AND id = ?`, text, n.Updated.Unix(), c.Owner(), id)
			return one(done, err, "change a draft", errNoDraft)
		}
		n.ID = newID()
		done, err := tx.ExecContext(ctx, `
			INSERT INTO drafts (owner, id, guest, text, updated) SELECT ?1, ?2, ?3, ?4, ?5
			WHERE (SELECT count(*) FROM drafts WHERE owner = ?1) < ?6`,
			c.Owner(), n.ID, !c.SignedIn(), text, n.Updated.Unix(), maxDrafts)
		return one(done, err, "keep a draft", errManyDrafts(!c.SignedIn()))
	})
	if err != nil {
		return note{}, err
	}
	return n, nil
}

// errManyDrafts says how a full shelf gets room.
func errManyDrafts(guest bool) problem {
	if guest {
		return "There are 20 drafts, and more do not fit. Ask the person which can be deleted, or whether to sign in and make entries of them, then call again."
	}
	return "There are 20 drafts, and more do not fit. Ask the person which to make entries of with create_entry, and which can be deleted, then call again."
}

// drafts returns the owner's drafts, the newest first.
func (j *Journal) drafts(ctx context.Context, owner string) ([]note, error) {
	if owner == "" {
		return nil, errNobody
	}
	rows, err := j.db.QueryContext(ctx, `SELECT `+noteColumns+` FROM drafts WHERE owner = ? ORDER BY updated DESC, seq DESC`, owner)
	if err != nil {
		return nil, fmt.Errorf("journal: list drafts: %w", err)
	}
	defer rows.Close()
	found := []note{}
	for rows.Next() {
		n, err := scanNote(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: list drafts: %w", err)
	}
	return found, nil
}

// draftOf returns the owner's draft id.
func (j *Journal) draftOf(ctx context.Context, owner, id string) (note, error) {
	if owner == "" {
		return note{}, errNobody
	}
	return scanNote(j.db.QueryRowContext(ctx, `SELECT `+noteColumns+` FROM drafts WHERE owner = ? AND id = ?`, owner, id))
}

// discard deletes the owner's draft id.
func (j *Journal) discard(ctx context.Context, owner, id string) error {
	done, err := j.db.ExecContext(ctx, `DELETE FROM drafts WHERE owner = ? AND id = ?`, owner, id)
	return one(done, err, "delete a draft", errNoDraft)
}

// Kept says how many drafts a guest has kept: "2 drafts", or "" for none.
func (j *Journal) Kept(ctx context.Context, guestID string) (string, error) {
	kept, err := j.drafts(ctx, guestID)
	if err != nil || len(kept) == 0 {
		return "", err
	}
	return count(len(kept), "draft", "drafts"), nil
}

// Move makes the drafts of a guest a user's, all of them or, with an error, none.
// Asked again, there is nothing left to move. A user may then have more than
// fit, and gets room by deleting some.
func (j *Journal) Move(ctx context.Context, guestID, userID string) error {
	if guestID == "" || userID == "" {
		return errNobody
	}
	if _, err := j.db.ExecContext(ctx, `UPDATE drafts SET owner = ?, guest = FALSE WHERE owner = ? AND guest`, userID, guestID); err != nil {
		return fmt.Errorf("journal: move drafts: %w", err)
	}
	return nil
}

// scanNote reads one draft from a row of noteColumns.
func scanNote(row interface{ Scan(...any) error }) (note, error) {
	var n note
	var updated int64
	switch err := row.Scan(&n.ID, &n.Text, &updated); {
	case errors.Is(err, sql.ErrNoRows):
		return note{}, errNoDraft
	case err != nil:
		return note{}, fmt.Errorf("journal: read a draft: %w", err)
	}
	n.Updated = time.Unix(updated, 0).UTC()
	return n, nil
}
