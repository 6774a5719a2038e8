package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"example.com/foyer/store"
)

// A driver in this process answers the look-up of a bearer in less time than
// database/sql needs to ask for it, and much of its own time goes by columns. So
// the look-up has connections of its own, asks the driver itself, and reads one
// column: all the others, joined by a character.
const separator = "\x1f"

var bearerPacked = fmt.Sprintf("SELECT concat_ws('%s', %s, %s, %s)%s",
	separator, withoutKey(tokens.columns), grants.columns, bearerUser, bearerFrom)

func withoutKey(columns string) string {
	_, others, _ := strings.Cut(columns, ", ")
	return others
}

// errPacked says that a row cannot be told apart from another, because one of
// its columns holds the separator. It has to be read column by column.
var errPacked = errors.New("sqlstore: a column holds the separator")

// Seats are the connections of the look-up. Who looks a bearer up takes one.
type seats chan *seat

// A seat has what one look-up needs, made once.
type seat struct {
	conn   *sql.Conn
	stmt   driver.Stmt // of conn; used inside conn.Raw alone
	hash   store.Hash
	args   []driver.NamedValue // the hash
	row    []driver.Value
	bearer store.Bearer
	fields []any // of bearer
}

// newSeats takes n connections from db. They are to be closed also where it
// fails.
func newSeats(ctx context.Context, db *sql.DB, n int) (seats, error) {
	free := make(seats, n)
	for range n {
		conn, err := db.Conn(ctx)
		if err != nil {
			return free, err
		}
		s := &seat{conn: conn, row: make([]driver.Value, 1)}
		s.args = []driver.NamedValue{{Ordinal: 1, Value: s.hash[:]}}
		s.fields = bearerFields(&s.bearer)[1:] // the hash is known
		err = conn.Raw(func(c any) (err error) {
			s.stmt, err = c.(driver.ConnPrepareContext).PrepareContext(ctx, bearerPacked)
			return err
		})
		if err != nil {
			return free, errors.Join(fmt.Errorf("sqlstore: prepare %q: %w", bearerPacked, err), conn.Close())
		}
		free <- s
	}
	return free, nil
}

// close gives the connections back. No look-up runs any more.
func (free seats) close() (err error) {
	for {
		select {
		case s := <-free:
			err = errors.Join(err, s.conn.Raw(func(any) error { return s.stmt.Close() }), s.conn.Close())
		default:
			return err
		}
	}
}

// lookUp waits for a seat until ctx ends. It returns sql.ErrNoRows where there
// is no such token.
func (free seats) lookUp(ctx context.Context, h store.Hash) (store.Bearer, error) {
	var s *seat
	select {
	case s = <-free:
	case <-ctx.Done():
		return store.Bearer{}, ctx.Err()
	}
	defer func() { free <- s }()
	s.hash, s.bearer.Token.Hash = h, h
	if err := s.conn.Raw(s.query); err != nil {
		return store.Bearer{}, err
	}
	packed, ok := s.row[0].(string)
	if !ok {
		return store.Bearer{}, fmt.Errorf("sqlstore: a packed row is %T, not string", s.row[0])
	}
	if err := unpack(packed, s.fields); err != nil {
		return store.Bearer{}, err
	}
	return s.bearer, nil
}

// query reads the one row. Nothing interrupts it: it takes microseconds.
func (s *seat) query(any) (err error) {
	rows, err := s.stmt.(driver.StmtQueryContext).QueryContext(context.Background(), s.args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }() // which ends the look-up's moment in time
	if err = rows.Next(s.row); err == io.EOF {
		return sql.ErrNoRows
	}
	return err
}

// unpack reads columns back into the fields of records. There must be exactly
// as many: a column that holds the separator must not be taken for two.
func unpack(packed string, fields []any) error {
	if strings.Count(packed, separator) != len(fields)-1 {
		return errPacked
	}
	for _, f := range fields {
		var column string
		column, packed, _ = strings.Cut(packed, separator)
		if err := unpackColumn(column, f); err != nil {
			return err
		}
	}
	return nil
}

func unpackColumn(column string, field any) error {
	switch f := field.(type) {
	case *string:
		*f = column
		return nil
	case *words:
		return f.Scan(column)
	case *elevations:
		return f.Scan(column)
	}
	n, err := strconv.ParseInt(column, 10, 64)
	if err != nil {
		return fmt.Errorf("sqlstore: a packed number: %w", err)
	}
	switch f := field.(type) {
	case *int:
		*f = int(n)
	case *instant:
		return f.Scan(n)
	default:
		return fmt.Errorf("sqlstore: %T cannot be read from a packed row", field)
	}
	return nil
}
