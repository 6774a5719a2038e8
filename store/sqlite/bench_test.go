package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/foyer/store"
)

var million = flag.Bool("foyer.million", false, "BenchmarkBearer also with a million grants, which take minutes to make")

// A record of about the size of a grant.
const bodySize = 256

// BenchmarkCommit puts one grant in each Update. Its yardsticks, in the same
// run, are a row of the same size in a file of the same mode, without a store:
// one in each commit, and so many in each commit as there are writers. Ratios
// are of rates: above 1, the store is faster.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			s, err := Open(filepath.Join(b.TempDir(), "store.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			bare := newBareRows(b)
			b.ReportAllocs()
			b.ResetTimer()
			ours := commitGrants(b, s, writers)
			b.StopTimer()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ours, "commits/s")
			b.ReportMetric(ours/bare.commit(b, 1), "×bare")
			b.ReportMetric(ours/bare.commit(b, writers), "×bare-group")
		})
	}
}

// rate is how many of b.N a second have been since.
func rate(b *testing.B, since time.Time) float64 {
	return float64(b.N) / time.Since(since).Seconds()
}

func commitGrants(b *testing.B, s store.Store, writers int) float64 {
	ctx := context.Background()
	body := strings.Repeat("x", bodySize)
	var next atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range writers {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				g := store.Grant{ID: fmt.Sprintf("%x", hashOf(int(n))), Resource: body}
				if err := s.Update(ctx, func(tx store.Tx) error { return tx.PutGrant(ctx, g) }); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return rate(b, begun)
}

// Bare rows are what SQLite does without a store, through its driver alone.
type bareRows struct {
	conn           *sql.Conn
	insert, lookUp driver.Stmt
	next           int
}

func newBareRows(b *testing.B) *bareRows {
	full, err := create(filepath.Join(b.TempDir(), "bare.db"))
	if err != nil {
		b.Fatal(err)
	}
	writer, reader, err := connect(full)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { writer.Close() })
	reader.Close()
	if _, err := writer.Exec("CREATE TABLE bare (id BLOB NOT NULL PRIMARY KEY, body TEXT NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	r := &bareRows{}
	if r.conn, err = writer.Conn(b.Context()); err != nil {
		b.Fatal(err)
	}
	r.raw(b, func(c any) (err error) {
		if r.insert, err = c.(driver.ConnPrepareContext).PrepareContext(b.Context(), "INSERT INTO bare VALUES ($1, $2)"); err != nil {
			return err
		}
		r.lookUp, err = c.(driver.ConnPrepareContext).PrepareContext(b.Context(), "SELECT body FROM bare WHERE id = $1")
		return err
	})
	b.Cleanup(func() {
		r.raw(b, func(any) error { return errors.Join(r.insert.Close(), r.lookUp.Close()) })
		r.conn.Close()
	})
	return r
}

func (r *bareRows) raw(b *testing.B, fn func(any) error) {
	b.Helper()
	if err := r.conn.Raw(fn); err != nil {
		b.Fatal(err)
	}
}

// commit puts b.N rows, so many in each commit, and returns its rate of rows.
func (r *bareRows) commit(b *testing.B, each int) float64 {
	begun := time.Now()
	for n := 0; n < b.N; n += each {
		r.put(b, min(each, b.N-n))
	}
	return rate(b, begun)
}

func (r *bareRows) put(b *testing.B, rows int) {
	body := strings.Repeat("x", bodySize)
	r.raw(b, func(c any) error {
		tx, err := c.(driver.ConnBeginTx).BeginTx(context.Background(), driver.TxOptions{})
		if err != nil {
			return err
		}
		for range rows {
			h := hashOf(r.next)
			r.next++
			args := []driver.NamedValue{{Ordinal: 1, Value: h[:]}, {Ordinal: 2, Value: body}}
			if _, err := r.insert.(driver.StmtExecContext).ExecContext(context.Background(), args); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}

// find reads one row by its key.
func (r *bareRows) find(b *testing.B, n int) {
	r.raw(b, func(any) error {
		h := hashOf(n)
		rows, err := r.lookUp.(driver.StmtQueryContext).QueryContext(context.Background(), []driver.NamedValue{{Ordinal: 1, Value: h[:]}})
		if err != nil {
			return err
		}
		defer rows.Close()
		return rows.Next(make([]driver.Value, 1))
	})
}

func hashOf(n int) store.Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// BenchmarkBearer looks up tokens at random, among so many grants with a token
// and a user each. Its yardstick, in the same run, is one row of about the same
// size by its key, from one table with as many rows, through the driver alone.
func BenchmarkBearer(b *testing.B) {
	sizes := []int{1_000, 100_000}
	if *million {
		sizes = append(sizes, 1_000_000)
	}
	for _, grants := range sizes {
		b.Run(fmt.Sprint("grants=", grants), func(b *testing.B) {
			s, err := Open(filepath.Join(b.TempDir(), "store.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			bare := newBareRows(b)
			for n := 0; n < grants; n += 1000 {
				putBearers(b, s, n, n+1000)
				bare.put(b, 1000)
			}
			b.Run("one", func(b *testing.B) {
				b.ReportAllocs()
				ctx := b.Context()
				for b.Loop() {
					findBearer(b, ctx, s, rand.IntN(grants))
				}
				ours := b.Elapsed()
				begun := time.Now()
				for range b.N {
					bare.find(b, rand.IntN(grants))
				}
				b.ReportMetric(float64(ours)/float64(time.Since(begun)), "×bare-time")
			})
			b.Run("parallel", func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						findBearer(b, b.Context(), s, rand.IntN(grants))
					}
				})
			})
		})
	}
}

func putBearers(b *testing.B, s store.Store, from, to int) {
	ctx := context.Background()
	err := s.Update(ctx, func(tx store.Tx) error {
		for n := from; n < to; n++ {
			id := fmt.Sprintf("%022d", n) // as long as ours
			if err := tx.PutUser(ctx, store.User{ID: id, Email: id + "@example.com"}); err != nil {
				return err
			}
			g := store.Grant{ID: id, ClientID: id, RedirectHost: "claude.ai", Resource: "https://notes.example.com/mcp", GuestID: id,
				UserID: id, Epoch: 1, Level: "chat", AuthTime: time.Now(), Scopes: []string{"guest", "notes:write"}, ApprovedBy: "mail",
				Generation: 3, Created: time.Now(), Expires: time.Now().Add(time.Hour)}
			if err := tx.PutGrant(ctx, g); err != nil {
				return err
			}
			if err := tx.PutToken(ctx, store.Token{Hash: hashOf(n), Kind: store.Access, GrantID: id, Epoch: 1, Generation: 3,
				Expires: time.Now().Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func findBearer(b *testing.B, ctx context.Context, s store.Store, n int) {
	if found, err := s.Bearer(ctx, hashOf(n)); err != nil || found.User.ID != found.Grant.UserID {
		b.Errorf("Bearer = %+v, %v", found, err)
	}
}
