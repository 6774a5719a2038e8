package grant

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/foyer/store"
)

// record returns what the store knows of the client.
func (f *fixture) record() (c store.Client, known bool) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		c, err = tx.Client(ctx, client)
		known = err == nil
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return c, known
}

// X24: whatever prolongs a grant prolongs its client, also where clients that
// nobody uses are forgotten soon.
func TestX24AClientLivesAsLongAsItsGrant(t *testing.T) {
	f := newFixture(t)
	f.life.Client = 2 * day
	f.restart(oldSecret)
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.PutClient(ctx, store.Client{ID: client, RedirectURIs: []string{redirect}, Expires: f.now().Add(day)})
	})
	var issued Issued
	for _, step := range []struct {
		name string
		wait time.Duration
		act  func()
		left time.Duration
	}{
		{"a guest", 0, func() { issued = f.start() }, 2 * day},
		{"a claim", time.Hour / 2, func() { issued.Access = f.mustClaim(issued, "u", 1) }, 30 * day},
		{"another guest", time.Hour, func() { f.start() }, 30*day - time.Hour},
		{"a refresh, weeks later", 20 * day, func() { issued = f.refresh(issued.Refresh) }, 30 * day},
	} {
		f.wait(step.wait)
		step.act()
		f.collect()
		if c, known := f.record(); !known || !c.Expires.Equal(f.now().Add(step.left)) {
			t.Errorf("%s: known %v, expires %v; want %v", step.name, known, c.Expires, f.now().Add(step.left))
		}
	}
}

// What a redemption and a refresh remember of a client that is known by its
// document; of any other they remember nothing.
func TestWhatIsRememberedOfADocument(t *testing.T) {
	f := newFixture(t)
	asker := store.Client{ID: client, Name: "App", RedirectURIs: []string{redirect}, Digest: store.Hash{1}}
	redeem := func(c store.Client) Issued {
		t.Helper()
		e := right(f.code())
		e.Client = c
		issued, err := f.Redeem(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		return issued
	}
	redeem(asker)
	redeem(store.Client{})
	other := asker
	other.ID, other.Document, other.Fresh = "https://other.example/c", []byte("{}"), f.now()
	redeem(other)
	if c, known := f.record(); known {
		t.Fatalf("a client that nobody looked up, or that has no document, is remembered: %+v", c)
	}
	asker.Document, asker.Fresh = []byte("1"), f.now().Add(time.Hour)
	issued := redeem(asker)
	for _, step := range []struct {
		name     string
		document string
		fresh    time.Duration // 0 for one that may not be kept
		want     string
	}{
		{"the same", "1", time.Hour, "1"},
		{"a new one", "2", time.Hour, "2"},
		{"one that may not be kept", "3", 0, ""},
		{"one that may be kept again", "4", time.Hour, "4"},
	} {
		f.wait(time.Minute)
		asker.Document, asker.Fresh, asker.Name = []byte(step.document), time.Time{}, step.name
		if step.fresh > 0 {
			asker.Fresh = f.now().Add(step.fresh)
		}
		var err error
		if issued, err = f.Refresh(t.Context(), Renewal{RefreshToken: issued.Refresh, ClientID: client, Client: asker}); err != nil {
			t.Fatal(err)
		}
		c, _ := f.record()
		if string(c.Document) != step.want || step.document != "1" && c.Name != step.name || c.Digest != asker.Digest {
			t.Errorf("%s: the record is %+v", step.name, c)
		}
	}
}
