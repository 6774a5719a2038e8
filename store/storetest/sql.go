package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/foyer/store"
)

var sqlTests = []test{
	{"what an application writes is committed with the store's own, or not at all", testOneTransaction},
	{"an application cannot end the transaction", testControl},
	{"the end of the context interrupts a statement, and the store goes on", testSlowStatement},
	{"nothing can be done after the function has returned", testLateStatement},
	{"a view reads, and writes nothing", testViewSQL},
}

const countRooms = "SELECT count(*) FROM rooms"

// rooms makes a table of an application.
func rooms(t *testing.T, s *suite) store.Database {
	t.Helper()
	db, ok := s.Store.(store.Database)
	if !ok {
		t.Fatalf("%T is no store.Database", s.Store)
	}
	mustExec(t, db, "CREATE TABLE rooms (name TEXT NOT NULL PRIMARY KEY)")
	return db
}

func mustExec(t *testing.T, db store.Database, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := db.UpdateSQL(ctx, func(_ store.Tx, sql store.SQL) error {
		_, err := sql.Exec(ctx, query)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// count reads a number by ViewSQL.
func count(t *testing.T, db store.Database, query string) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := db.ViewSQL(ctx, func(sql store.SQL) error { return scan(ctx, sql, query, &n) }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func scan(ctx context.Context, sql store.SQL, query string, n *int) error {
	rows, err := sql.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(n); err != nil {
			return err
		}
	}
	return rows.Err()
}

func users(t *testing.T, s *suite) (found bool) {
	t.Helper()
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.User(ctx, "u")
		found = err == nil
		return nil
	})
	return found
}

func testOneTransaction(t *testing.T, s *suite) {
	db := rooms(t, s)
	refusal := errors.New("no")
	for _, want := range []error{refusal, nil} {
		err := db.UpdateSQL(t.Context(), func(tx store.Tx, sql store.SQL) error {
			_, err := sql.Exec(t.Context(), "INSERT INTO rooms (name) VALUES ($1)", "a")
			return errors.Join(err, tx.PutUser(t.Context(), store.User{ID: "u", Email: "u@example.com"}), want)
		})
		if n := count(t, db, countRooms); !errors.Is(err, want) || (n == 1) != (want == nil) || users(t, s) != (want == nil) {
			t.Errorf("%v: %v, and there are %d rooms, user: %v", want, err, n, users(t, s))
		}
	}
	err := db.UpdateSQL(t.Context(), func(tx store.Tx, sql store.SQL) error {
		sql.Exec(t.Context(), "INSERT INTO rooms (name) VALUES ('a')") // which is there
		return tx.PutUser(t.Context(), store.User{ID: "v", Email: "v@example.com"})
	})
	if err == nil {
		t.Error("a transaction was committed in which a statement had failed")
	}
}

func testControl(t *testing.T, s *suite) {
	db := rooms(t, s)
	for _, query := range []string{"COMMIT", "rollback", " /* x */ END", "-- x\nBEGIN", "INSERT INTO rooms (name) VALUES ('a'); COMMIT", "PRAGMA user_version", ""} {
		err := db.UpdateSQL(t.Context(), func(_ store.Tx, sql store.SQL) error {
			if _, err := sql.Exec(t.Context(), "INSERT INTO rooms (name) VALUES ('b')"); err != nil {
				return err
			}
			sql.Exec(t.Context(), query)
			return nil
		})
		if n := count(t, db, countRooms); !errors.Is(err, store.ErrStatement) || n != 0 {
			t.Errorf("%q: %v, and there are %d rooms", query, err, n)
		}
	}
}

func testSlowStatement(t *testing.T, s *suite) {
	db := rooms(t, s)
	const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := db.UpdateSQL(ctx, func(_ store.Tx, sql store.SQL) error {
		if _, err := sql.Exec(ctx, "INSERT INTO rooms (name) VALUES ('a')"); err != nil {
			return err
		}
		var n int
		return scan(context.Background(), sql, endless, &n) // which has no end of its own
	})
	if took := time.Since(began); err == nil || took > patience {
		t.Errorf("after %v: %v", took, err)
	}
	if n := count(t, db, countRooms); n != 0 {
		t.Errorf("%d rooms are left of it", n)
	}
	mustExec(t, db, "INSERT INTO rooms (name) VALUES ('a')")
	if n := count(t, db, countRooms); n != 1 {
		t.Errorf("after it there are %d rooms, want 1", n)
	}
}

func testLateStatement(t *testing.T, s *suite) {
	db := rooms(t, s)
	var late store.SQL
	if err := db.UpdateSQL(t.Context(), func(_ store.Tx, sql store.SQL) error { late = sql; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Exec(t.Context(), "INSERT INTO rooms (name) VALUES ('a')"); err == nil {
		t.Error("a statement ran after its transaction")
	}
	if _, err := late.Query(t.Context(), countRooms); err == nil {
		t.Error("a query ran after its transaction")
	}
	if n := count(t, db, countRooms); n != 0 {
		t.Errorf("%d rooms", n)
	}
}

func testViewSQL(t *testing.T, s *suite) {
	db := rooms(t, s)
	err := db.ViewSQL(t.Context(), func(sql store.SQL) error {
		_, err := sql.Exec(t.Context(), "INSERT INTO rooms (name) VALUES ('a')")
		return err
	})
	if n := count(t, db, countRooms); err == nil || n != 0 {
		t.Errorf("%v, and there are %d rooms", err, n)
	}
}
