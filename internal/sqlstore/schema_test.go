package sqlstore

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"example.com/foyer/store"
)

// The tokens of a file that an earlier version wrote go on to open what they
// opened: none was cut.
func TestTokensOfAnEarlierSchemaOpenWhatTheyOpened(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(schemas, "schema")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithTableName("foyer_schema"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, insert := range []string{
		`INSERT INTO foyer_grants VALUES ('g', 'c', 'h', 'r', 'guest', '', '', 1, '', 0, 'guest write', '', 1, 0, 0, 0)`,
		`INSERT INTO foyer_tokens VALUES (zeroblob(32), 'access', 'g', 1, 1, 0, 0)`,
	} {
		if _, err := db.Exec(insert); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), db, db, Dialect{Goose: goose.DialectSQLite3, Explain: func(err error) error { return err }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if b, err := s.Bearer(t.Context(), store.Hash{}); err != nil || b.Token.Kind != store.Access || b.Token.Scopes != nil || len(b.Grant.Scopes) != 2 {
		t.Errorf("Bearer = %+v, %v; want the token, which has no scopes of its own", b, err)
	}
}
