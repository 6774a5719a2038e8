package foyer

import (
	"database/sql"
	"encoding/binary"
	"os"
	"testing"
)

// written runs fn, and returns how many commits reached the file meanwhile, and
// how many pages they wrote. Nobody else may write.
func (d *desk) written(fn func()) (commits, pages int) {
	d.t.Helper()
	past := d.past()
	defer past.Close()
	fn()
	return d.frames()
}

// past empties the log of the file, and returns a connection that looks at the
// file as it is: as long as it does, the log keeps everything that is written.
func (d *desk) past() *sql.DB {
	d.t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.path+"?_busy_timeout=10000")
	if err != nil {
		d.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	var busy, rest, moved int
	for _, err := range []error{
		db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &rest, &moved),
		exec(db, "BEGIN"),
		db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&moved),
	} {
		if err != nil || busy != 0 {
			d.t.Fatalf("the log cannot be emptied: busy %d, %v", busy, err)
		}
	}
	return db
}

func exec(db *sql.DB, query string) error {
	_, err := db.Exec(query)
	return err
}

// frames reads the log of the file: each page that was written is a frame, and
// the last of a commit says so (https://sqlite.org/fileformat2.html#walformat).
func (d *desk) frames() (commits, pages int) {
	d.t.Helper()
	log, err := os.ReadFile(d.path + "-wal")
	if err != nil {
		d.t.Fatal(err)
	}
	if len(log) == 0 {
		return 0, 0
	}
	const header, frame = 32, 24
	size := frame + int(binary.BigEndian.Uint32(log[8:]))
	for at := header; at+size <= len(log) && string(log[at+8:at+16]) == string(log[16:24]); at += size {
		pages++
		if binary.BigEndian.Uint32(log[at+4:]) != 0 {
			commits++
		}
	}
	return commits, pages
}

func TestADurableActIsOneCommitAndACodeIsNone(t *testing.T) {
	d := newDesk(t)
	for _, test := range []struct {
		act  string
		do   acts
		want int
	}{
		{"a bare update", d.commits, 1},
		{"a code exchange", d.exchanges, 1},
		{"a refresh", d.refreshes, 1},
		{"a claim", d.claims, 1},
		{"a code exchange over HTTP", d.posts, 1},
		{"a code", func(int) []func() error { return []func() error{func() error { d.exchange(); return nil }} }, 0},
		{"an authorization over HTTP", d.authorizations, 0},
	} {
		todo := test.do(1)
		commits, _ := d.written(func() {
			if err := todo[0](); err != nil {
				t.Errorf("%s: %v", test.act, err)
			}
		})
		if commits != test.want {
			t.Errorf("%s is %d commits, want %d", test.act, commits, test.want)
		}
	}
}
