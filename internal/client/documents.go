package client

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"example.com/foyer/internal/fetch"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
)

const (
	minFresh = time.Minute // whatever the host says; also after a fetch that failed
	maxFresh = 24 * time.Hour
	maxKept  = 16 << 20 // bytes of documents, in all
)

// Documents reads the metadata documents of clients, and keeps them for a while.
// It is safe for concurrent use.
type Documents struct {
	fetcher *fetch.Fetcher
	trust   Trust

	mu    sync.Mutex
	kept  map[string]*list.Element // by client ID
	order *list.List               // of store.Client, the one that was asked for last in front
	size  int                      // of all, by weight
}

// NewDocuments returns a reader that believes whom t trusts.
func NewDocuments(f *fetch.Fetcher, t Trust) *Documents {
	return &Documents{fetcher: f, trust: t, kept: map[string]*list.Element{}, order: list.New()}
}

// ReadsDocuments reports whether clients may be known by their metadata
// documents.
func (cs *Clients) ReadsDocuments() bool { return cs.Documents != nil }

// Stranger reports whether id is the URL of a document that is not at hand, so
// that to look it up makes a host answer that the asker has chosen.
func (cs *Clients) Stranger(ctx context.Context, id string) (bool, error) {
	if cs.Documents == nil || !oauth.IsDocumentURL(id) {
		return false, nil
	}
	if _, ok := cs.Documents.get(id); ok || cs.Documents.trust.check(ctx, id) != nil {
		return false, nil
	}
	_, err := cs.record(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return true, nil
	}
	return false, err
}

// lookupDocument returns the client whose metadata document is at id. A document
// that was believed before serves on while a newer one cannot be read: a host
// that is down, or that turns servers away, signs nobody out. One that can be
// read and cannot be accepted does not.
func (cs *Clients) lookupDocument(ctx context.Context, id string) (store.Client, error) {
	d := cs.Documents
	if d == nil {
		return store.Client{}, ErrUnknown
	}
	if err := d.trust.check(ctx, id); err != nil {
		return store.Client{}, err
	}
	old, err := cs.atHand(ctx, id)
	if err != nil || cs.Now().Before(old.Fresh) {
		return old, err
	}
	c, err := d.read(ctx, id, cs.Now())
	if errors.Is(err, ErrUnavailable) && old.Document != nil {
		old.Fresh = cs.Now().Add(minFresh)
		c, err = old, nil
	}
	switch {
	case err != nil && !errors.Is(err, ErrDocument):
		return store.Client{}, err
	case err != nil, c.Fresh.IsZero():
		d.drop(id)
	default:
		d.keep(c)
	}
	return c, err
}

// atHand returns the client with the document that is kept, here or in the
// store; without a document where there is none. One that could be accepted when
// it was stored, and now cannot, is none.
func (cs *Clients) atHand(ctx context.Context, id string) (store.Client, error) {
	if c, ok := cs.Documents.get(id); ok {
		return c, nil
	}
	c, err := cs.record(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return store.Client{}, nil
	} else if err != nil {
		return store.Client{}, err
	}
	known, err := parseDocument(id, c.Document)
	if err != nil {
		return store.Client{}, nil
	}
	read, err := known.client()
	read.Fresh = c.Fresh
	if err == nil {
		cs.Documents.keep(read)
	}
	return read, err
}

// read fetches the document at id. The client that it returns is fresh for as
// long as its host says, within bounds; never, where it may not be kept.
func (d *Documents) read(ctx context.Context, id string, now time.Time) (store.Client, error) {
	got, err := d.fetcher.Get(ctx, id)
	switch {
	case errors.Is(err, fetch.ErrURL):
		return store.Client{}, ErrDocument
	case err != nil && ctx.Err() != nil:
		return store.Client{}, ctx.Err()
	case err != nil:
		return store.Client{}, ErrUnavailable
	}
	doc, err := parseDocument(id, got.Body)
	if err != nil {
		return store.Client{}, ErrDocument
	}
	c, err := doc.client()
	if !got.NoStore {
		c.Fresh = now.Add(min(max(got.Fresh, minFresh), maxFresh))
	}
	return c, err
}

func (d *Documents) get(id string) (store.Client, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.kept[id]
	if !ok {
		return store.Client{}, false
	}
	d.order.MoveToFront(e)
	return e.Value.(store.Client), true
}

// keep makes room at the cost of those who were not asked for the longest.
func (d *Documents) keep(c store.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(d.kept[c.ID])
	d.kept[c.ID] = d.order.PushFront(c)
	for d.size += weight(c); d.size > maxKept; {
		d.forget(d.order.Back())
	}
}

func (d *Documents) drop(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(d.kept[id])
}

func (d *Documents) forget(e *list.Element) {
	if e == nil {
		return
	}
	c := d.order.Remove(e).(store.Client)
	delete(d.kept, c.ID)
	d.size -= weight(c)
}

// weight is about what c takes: its strings stand in its document once more.
func weight(c store.Client) int { return 2*len(c.Document) + 1<<10 }
