package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"
)

// days are a span of time in an input. Empty ends are open.
type days struct {
	From string `json:"from,omitempty" jsonschema:"the first day, such as 2026-05-01, UTC"`
	To   string `json:"to,omitempty" jsonschema:"the last day, such as 2026-05-31, UTC; it is included"`
}

// A filter is the input of list_entries.
type filter struct {
	Query    string   `json:"query,omitempty" jsonschema:"text that the title or the content contains; case does not matter"`
	Mood     string   `json:"mood,omitempty" jsonschema:"exactly this mood; case does not matter"`
	TagIDs   []string `json:"tagIds,omitempty" jsonschema:"ids of tags; entries that have one of them"`
	Favorite bool     `json:"favorite,omitempty" jsonschema:"true for favorites alone"`
	days
	paging
}

// A paging asks for a part of a list.
type paging struct {
	Limit  int `json:"limit,omitempty" jsonschema:"how many to return, 1 to 100; 20 if absent"`
	Offset int `json:"offset,omitempty" jsonschema:"how many to skip; 0 if absent"`
}

// within returns p with a limit that fits.
func (p paging) within() (paging, error) {
	if p.Limit == 0 {
		p.Limit = 20
	}
	if p.Limit < 1 || p.Limit > 100 || p.Offset < 0 {
		return paging{}, problem("limit must be 1 to 100 and offset 0 or more. Leave both out for the beginning of the list.")
	}
	return p, nil
}

// next returns the offset after a page of n out of total; 0 after the last.
func (p paging) next(n, total int) int {
	if end := p.Offset + n; n > 0 && end < total {
		return end
	}
	return 0
}

// A page is the output of list_entries.
type page struct {
	Entries []line `json:"entries" jsonschema:"newest first"`
	Total   int    `json:"total" jsonschema:"how many entries match, on all pages"`
	Next    int    `json:"next_offset,omitempty" jsonschema:"the offset of the next page; absent on the last one"`
}

// A line is an entry in a list.
type line struct {
	ID       string    `json:"id" jsonschema:"pass it to get_entry to read everything"`
	Title    string    `json:"title"`
	Excerpt  string    `json:"excerpt" jsonschema:"the first 200 characters of the content"`
	Mood     string    `json:"mood,omitempty"`
	Tags     []label   `json:"tags,omitempty"`
	Private  bool      `json:"private,omitempty" jsonschema:"true if the entry should not be quoted without being asked for"`
	Favorite bool      `json:"favorite,omitempty"`
	Created  time.Time `json:"created" jsonschema:"RFC 3339, UTC"`
}

const matching = ` FROM entries WHERE owner = @owner
	AND (@query = '' OR instr(words, @query) > 0) AND (@mood = '' OR mood = @mood)
	AND (NOT @favorite OR favorite) AND created >= @since AND created < @before
	AND (@tags = 'null' OR id IN (SELECT entry FROM entry_tags WHERE owner = @owner AND tag IN (SELECT value FROM json_each(@tags))))`

// list returns the page of the owner's entries that f asks for.
func (j *Journal) list(ctx context.Context, owner string, f filter) (page, error) {
	if owner == "" {
		return page{}, errNobody
	}
	at, err := f.within()
	if err != nil {
		return page{}, err
	}
	args, err := f.args(owner)
	if err != nil {
		return page{}, err
	}
	p := page{Entries: []line{}}
	if err := j.db.QueryRowContext(ctx, `SELECT count(*)`+matching, args...).Scan(&p.Total); err != nil {
		return page{}, fmt.Errorf("journal: count: %w", err)
	}
	rows, err := j.db.QueryContext(ctx, `SELECT id, title, substr(content, 1, 200), mood, private, favorite, created, `+tagsOf+matching+
		` ORDER BY created DESC, seq DESC LIMIT @limit OFFSET @offset`,
		append(args, sql.Named("limit", at.Limit), sql.Named("offset", at.Offset))...)
	if err != nil {
		return page{}, fmt.Errorf("journal: list: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l line
		var created int64
		var tags []byte
		err := rows.Scan(&l.ID, &l.Title, &l.Excerpt, &l.Mood, &l.Private, &l.Favorite, &created, &tags)
		if err == nil {
			err = json.Unmarshal(tags, &l.Tags)
		}
		if err != nil {
			return page{}, fmt.Errorf("journal: list: %w", err)
		}
		l.Created = time.Unix(created, 0).UTC()
		p.Entries = append(p.Entries, l)
	}
	if err := rows.Err(); err != nil {
		return page{}, fmt.Errorf("journal: list: %w", err)
	}
	p.Next = at.next(len(p.Entries), p.Total)
	return p, nil
}

// all yields the owner's entries of a span of time, oldest first. It ends with
// the first error.
func (j *Journal) all(ctx context.Context, owner string, span days) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if owner == "" {
			yield(entry{}, errNobody)
			return
		}
		args, err := filter{days: span}.args(owner)
		if err != nil {
			yield(entry{}, err)
			return
		}
		rows, err := j.db.QueryContext(ctx, `SELECT `+columns+matching+` ORDER BY created, seq`, args...)
		if err != nil {
			yield(entry{}, fmt.Errorf("journal: read all: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			if e, err := scan(rows); !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(entry{}, fmt.Errorf("journal: read all: %w", err))
		}
	}
}

// args returns the arguments of matching, or a [problem] if a day is not one.
func (f filter) args(owner string) ([]any, error) {
	since, before := int64(math.MinInt64), int64(math.MaxInt64)
	if f.From != "" {
		day, err := time.Parse(time.DateOnly, f.From)
		if err != nil {
			return nil, problem("from must be a day such as 2026-05-01. Correct it and call again.")
		}
		since = day.Unix()
	}
	if f.To != "" {
		day, err := time.Parse(time.DateOnly, f.To)
		if err != nil {
			return nil, problem("to must be a day such as 2026-05-31. Correct it and call again.")
		}
		before = day.AddDate(0, 0, 1).Unix()
	}
	tags, err := json.Marshal(f.TagIDs)
	if err != nil {
		return nil, fmt.Errorf("journal: tags: %w", err)
	}
	return []any{
		sql.Named("tags", string(tags)), sql.Named("favorite", f.Favorite),
		sql.Named("owner", owner), sql.Named("query", strings.ToLower(strings.TrimSpace(withoutNUL(f.Query)))),
		sql.Named("mood", strings.ToLower(oneLine(f.Mood))), sql.Named("since", since), sql.Named("before", before),
	}, nil
}
