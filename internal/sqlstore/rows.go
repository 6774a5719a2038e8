package sqlstore

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/foyer/store"
)

// A table knows its columns once, for reading and for writing. Each noun's file
// lists the fields of its record in the same order.
type table struct {
	name    string
	columns string // "foyer_grants.id, foyer_grants.client_id, ..."
	upsert  string
}

// newTable describes a table whose first column is its key.
func newTable(name string, columns ...string) table {
	return newTableOf(name, 1, columns...)
}

// newTableOf describes a table whose first columns, so many as keys says, are
// its key.
func newTableOf(name string, keys int, columns ...string) table {
	var places, qualified []string
	for i, c := range columns {
		places = append(places, fmt.Sprintf("$%d", i+1))
		qualified = append(qualified, name+"."+c)
	}
	return table{
		name:    name,
		columns: strings.Join(qualified, ", "),
		upsert: fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", name,
			strings.Join(columns, ", "), strings.Join(places, ", ")) + onConflict(keys, columns),
	}
}

// onConflict is the end of an INSERT that replaces the row of the same key.
func onConflict(keys int, columns []string) string {
	var sets []string
	for _, c := range columns[keys:] {
		sets = append(sets, c+" = excluded."+c)
	}
	return fmt.Sprintf(" ON CONFLICT (%s) DO UPDATE SET %s",
		strings.Join(columns[:keys], ", "), strings.Join(sets, ", "))
}

// where is the query for the rows that meet the condition.
func (t table) where(condition string) string {
	return "SELECT " + t.columns + " FROM " + t.name + " WHERE " + condition
}

// An instant is a time as microseconds since 1970; the zero time is 0.
type instant time.Time

func (i *instant) Value() (driver.Value, error) {
	if t := time.Time(*i); !t.IsZero() {
		return t.UnixMicro(), nil
	}
	return int64(0), nil
}

func (i *instant) Scan(src any) error {
	us, ok := src.(int64)
	if !ok {
		return fmt.Errorf("sqlstore: a time is %T, not int64", src)
	}
	*i = instant{}
	if us != 0 {
		*i = instant(time.UnixMicro(us).UTC())
	}
	return nil
}

// Words are strings without spaces, joined by spaces. None are nil.
type words []string

// Value refuses a word that would come back as two, or not at all: a redirect
// URI with a space in it must not become a second URI.
func (w *words) Value() (driver.Value, error) {
	for _, word := range *w {
		if word == "" || strings.Contains(word, " ") {
			return nil, fmt.Errorf("sqlstore: %q cannot be stored in a list: it is empty or holds a space", word)
		}
	}
	return strings.Join(*w, " "), nil
}

func (w *words) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("sqlstore: a list of words is %T, not string", src)
	}
	*w = nil
	if s != "" {
		*w = strings.Split(s, " ")
	}
	return nil
}

// Instants are microseconds since 1970 in decimals, joined by spaces: the first
// as it is, each other as its distance from the one before. None are nil.
type instants []time.Time

func (in *instants) Value() (driver.Value, error) {
	var text []byte
	before := int64(0)
	for i, t := range *in {
		if i > 0 {
			text = append(text, ' ')
		}
		us := t.UnixMicro()
		text = strconv.AppendInt(text, us-before, 10)
		before = us
	}
	return string(text), nil
}

func (in *instants) Scan(src any) error {
	var distances words
	if err := distances.Scan(src); err != nil {
		return err
	}
	*in = slices.Grow(instants(nil), len(distances))
	us := int64(0)
	for _, d := range distances {
		distance, err := strconv.ParseInt(d, 10, 64)
		if err != nil {
			return fmt.Errorf("sqlstore: a list of times: %w", err)
		}
		us += distance
		*in = append(*in, time.UnixMicro(us).UTC())
	}
	return nil
}

// A flag is 0 or 1: SQLite has no BOOLEAN.
type flag bool

func (f *flag) Value() (driver.Value, error) {
	if *f {
		return int64(1), nil
	}
	return int64(0), nil
}

func (f *flag) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("sqlstore: a flag is %T, not int64", src)
	}
	*f = n != 0
	return nil
}

type hash store.Hash

func (h *hash) Value() (driver.Value, error) { return h[:], nil }

func (h *hash) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(h) {
		return fmt.Errorf("sqlstore: a hash is %T of %d bytes", src, len(b))
	}
	copy(h[:], b)
	return nil
}

// A text is any bytes. None are nil.
type text []byte

func (t *text) Value() (driver.Value, error) { return append([]byte{}, *t...), nil }

// Scan also takes a string, which SQLite's default of a column is.
func (t *text) Scan(src any) error {
	switch src := src.(type) {
	case string:
		*t = append(text(nil), src...)
	case []byte:
		*t = append(text(nil), src...)
	default:
		return fmt.Errorf("sqlstore: a text is %T, not bytes", src)
	}
	return nil
}
