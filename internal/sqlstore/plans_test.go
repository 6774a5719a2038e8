package sqlstore

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"
)

// Every query finds its rows by an index, and reads no table from end to end.
func TestEveryQueryHasItsIndex(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), db, db, Dialect{Goose: goose.DialectSQLite3, Explain: func(err error) error { return err }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, query := range slices.Concat(readQueries, writeQueries, expiredDeletes, userDeletes, []string{sessionsOfUser, usersOfBrowser, browsersForget, deletionsDue, bearerByHash, bearerPacked, outgoingDue, clientsTrim, clientsUnused, operationsOfGrant, operationsDue, eventsUnsealed, eventsSealed, eventsOfUser, eventsDelete}) {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, make([]any, 30)...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") {
				t.Errorf("%s\n%s", query, step)
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	}
}
