package foyer

import (
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// What a live grant with its access and its refresh token takes on the disk, and
// of this process's heap while the store is open. B/grant is once the memory of
// its code is cleared away, an hour later.
func BenchmarkGrantSize(b *testing.B) {
	for _, grants := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("grants=%d", grants), func(b *testing.B) {
			for b.Loop() {
				d := newDesk(b)
				heap := heapInUse()
				for range grants / 1000 {
					d.prepare(1000, func(k *Kit, _ int) error {
						_, err := k.grants.Redeem(b.Context(), d.exchange())
						return err
					})
				}
				heap = heapInUse() - heap
				d.past().Close() // empties the log
				info, err := os.Stat(d.path)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(info.Size())/float64(grants), "B/new-grant")
				b.ReportMetric(d.withoutRedemptions()/float64(grants), "B/grant")
				b.ReportMetric(float64(heap)/float64(grants), "heap-B/grant")
			}
		})
	}
}

// withoutRedemptions returns how many bytes of the file are in use once no code
// is remembered.
func (d *desk) withoutRedemptions() float64 {
	d.t.Helper()
	db, err := sql.Open("sqlite", "file:"+d.path+"?_busy_timeout=10000")
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	if err := exec(db, "DELETE FROM foyer_redemptions"); err != nil {
		d.t.Fatal(err)
	}
	var bytes float64
	err = db.QueryRow("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(&bytes)
	if err != nil {
		d.t.Fatal(err)
	}
	return bytes
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
