package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
)

// Export adds the owner's entries, to read and for programs, and the tags and drafts.
func (j *Journal) Export(ctx context.Context, userID string, create func(name string) (io.Writer, error)) error {
	read, err := create("journal.md")
	if err != nil {
		return err
	}
	fmt.Fprintln(read, "# Journal")
	all := []entry{}
	for e, err := range j.all(ctx, userID, days{}) {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(read, "\n%s", e.markdown()); err != nil {
			return err
		}
		all = append(all, e)
	}
	tags, err := j.tags(ctx, userID)
	if err != nil {
		return err
	}
	kept, err := j.drafts(ctx, userID)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		list any
	}{{"entries.json", all}, {"tags.json", tags}, {"drafts.json", kept}} {
		w, err := create(file.name)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(file.list); err != nil {
			return fmt.Errorf("journal: %s: %w", file.name, err)
		}
	}
	return nil
}

// tags returns all of the owner's tags.
func (j *Journal) tags(ctx context.Context, owner string) ([]tag, error) {
	all := []tag{}
	for at := (paging{Limit: 100}); ; {
		p, err := j.listTags(ctx, owner, at)
		if err != nil {
			return nil, err
		}
		if all = append(all, p.Tags...); p.Next == 0 {
			return all, nil
		}
		at.Offset = p.Next
	}
}

// Delete deletes all that an owner has, in one transaction. Asked again, there is
// nothing left to delete.
func (j *Journal) Delete(ctx context.Context, ownerID string) error {
	if ownerID == "" {
		return errNobody
	}
	return j.write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"entry_tags", "entries", "tags", "drafts"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE owner = ?", ownerID); err != nil {
				return fmt.Errorf("journal: delete what is of an owner: %w", err)
			}
		}
		return nil
	})
}
