// Package client holds the rules of clients: who may register, whose metadata
// document is believed, which client asks, and how it shows that.
//
// A client is registered by itself (RFC 7591) and is then public (RFC 6749
// section 2.1): it proves by PKCE that it began what it finishes. Or it is known
// by a metadata document, which may name its keys. Or it stands in the
// configuration, and may have secrets or keys.
package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
)

// Refusals.
var (
	ErrUnknown      = errors.New("client: unknown or expired client")
	ErrRedirectURIs = errors.New("client: no redirect URI that can be accepted")
	ErrMetadata     = errors.New("client: metadata that cannot be accepted")

	ErrDistrusted  = errors.New("client: metadata document at a host that is not trusted")
	ErrDocument    = errors.New("client: metadata document that cannot be accepted")
	ErrUnavailable = errors.New("client: metadata document that cannot be read now")
)

const (
	maxRedirectURIs = 10
	maxName         = 200 // bytes
	idPrefix        = "client_"
	unusedClients   = 10_000
	unusedCounter   = "registrations that were never used" // key of the counter
)

// Config is what the rules are made of.
type Config struct {
	Store         store.Store
	Documents     *Documents    // of clients that are known by them; nil for none
	Unused        time.Duration // after which a registration that was never used expires
	MaxUnused     int           // how many registrations are kept that were never used; 0 means 10,000
	Preregistered []Preregistered
	Issuer        string // whom an assertion must be for: this
	TokenEndpoint string // or this

	// Fetch reads the key set that a client keeps at uri, within limits. Optional;
	// nil refuses clients that keep one.
	Fetch func(ctx context.Context, uri string) ([]byte, error)

	Now func() time.Time
}

// Clients applies the rules to a store. It is safe for concurrent use.
type Clients struct {
	Config
	listed map[string]listed
	sets   keySets
}

// New returns the rules of cfg, or everything that is wrong with the clients in
// it.
func New(cfg Config) (*Clients, error) {
	known, err := listAll(cfg.Preregistered, cfg.Fetch != nil)
	if err != nil {
		return nil, err
	}
	if cfg.MaxUnused <= 0 {
		cfg.MaxUnused = unusedClients
	}
	cfg.Preregistered = nil // their secrets are hashes from here on
	return &Clients{Config: cfg, listed: known, sets: keySets{fetch: cfg.Fetch, now: cfg.Now, sets: map[string]*keySet{}}}, nil
}

// Register remembers a client that describes itself by m (RFC 7591 section
// 3.1), and may forget others that were never used. Equal descriptions are one client: hosts that register again for every
// conversation leave one record. Redirect URIs that cannot be accepted are
// dropped as long as one is left, because one odd URI of several must not keep a
// client out.
//
// It refuses with [ErrRedirectURIs] and [ErrMetadata].
func (cs *Clients) Register(ctx context.Context, m oauth.ClientMetadata) (store.Client, error) {
	described, err := describe(m)
	if err != nil {
		return store.Client{}, err
	}
	var c store.Client
	err = cs.Store.Update(ctx, func(tx store.Tx) (err error) {
		now := cs.Now()
		c, err = tx.ClientByDigest(ctx, described.Digest)
		if errors.Is(err, store.ErrNotFound) {
			c = described
			c.ID, c.Created = idPrefix+rand.Text(), now
			registered := store.NewEvent(ctx, store.EventClientRegistered, now)
			registered.ClientID = c.ID
			err = errors.Join(tx.PutEvent(ctx, registered), cs.makeRoom(ctx, tx))
		}
		if err != nil {
			return err
		}
		least := now.Add(cs.Unused) // whoever registers, also as one of many, has so long to begin
		if !c.Expires.Before(least) {
			return nil
		}
		c.Expires = least
		return tx.PutClient(ctx, c)
	})
	if err != nil {
		return store.Client{}, fmt.Errorf("client: register: %w", err)
	}
	return c, nil
}

// makeRoom counts one more registration that was never used, and deletes some of
// them where there would be too many.
//
// The counter is never too low, and may be too high: it is not told of those
// that are used or expire. Only when it says that all places are taken, the
// records are counted, and a sixty-fourth of the places is emptied, so that this
// is rare, however fast somebody registers.
func (cs *Clients) makeRoom(ctx context.Context, tx store.Tx) error {
	c, err := tx.Counter(ctx, unusedCounter)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || c.Total >= cs.MaxUnused {
		left, err := tx.TrimUnusedClients(ctx, cs.MaxUnused-max(cs.MaxUnused/64, 1))
		if err != nil {
			return err
		}
		c = store.Counter{Key: unusedCounter, Total: left}
	}
	c.Total++
	return tx.PutCounter(ctx, c)
}

// Known reports whether a client that describes itself by m is registered: to
// register it again adds no record. It refuses as Register does.
func (cs *Clients) Known(ctx context.Context, m oauth.ClientMetadata) (known bool, err error) {
	described, err := describe(m)
	if err != nil {
		return false, err
	}
	err = cs.Store.View(ctx, func(tx store.Tx) error {
		_, err := tx.ClientByDigest(ctx, described.Digest)
		known = err == nil
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, fmt.Errorf("client: known: %w", err)
	}
	return known, nil
}

// describe returns the record of a client that describes itself by m, without
// an ID.
func describe(m oauth.ClientMetadata) (store.Client, error) {
	if len(m.RedirectURIs) > maxRedirectURIs {
		return store.Client{}, ErrRedirectURIs
	}
	if !goodName(m.ClientName) {
		return store.Client{}, ErrMetadata
	}
	c := store.Client{Name: m.ClientName}
	for _, uri := range m.RedirectURIs {
		if oauth.CheckRedirectURI(uri) == nil {
			c.RedirectURIs = append(c.RedirectURIs, uri)
		}
	}
	if len(c.RedirectURIs) == 0 {
		return store.Client{}, ErrRedirectURIs
	}
	text, err := json.Marshal([]any{c.Name, c.RedirectURIs})
	if err != nil {
		return store.Client{}, err
	}
	c.Digest = sha256.Sum256(text)
	return c, nil
}

func goodName(name string) bool { return len(name) <= maxName && !strings.ContainsRune(name, 0) }

// Listed reports whether the operator has listed the client id, and so vouches for it.
func (cs *Clients) Listed(id string) bool {
	_, ok := cs.listed[id]
	return ok
}

// Lookup returns the client with that ID. One whose ID is a URL is looked up by
// its metadata document, which is fetched where the one at hand is not fresh.
//
// It refuses with [ErrUnknown], [ErrDistrusted], [ErrDocument] or
// [ErrUnavailable].
func (cs *Clients) Lookup(ctx context.Context, id string) (store.Client, error) {
	if l, ok := cs.listed[id]; ok {
		return l.Client, nil
	}
	if oauth.IsDocumentURL(id) {
		return cs.lookupDocument(ctx, id)
	}
	return cs.record(ctx, id)
}

// record returns the client that the store remembers by that ID.
func (cs *Clients) record(ctx context.Context, id string) (c store.Client, err error) {
	err = cs.Store.View(ctx, func(tx store.Tx) error {
		c, err = tx.Client(ctx, id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !cs.Now().Before(c.Expires):
		return store.Client{}, ErrUnknown
	case err != nil:
		return store.Client{}, fmt.Errorf("client: look up: %w", err)
	}
	return c, nil
}

// Name returns what the client with that ID calls itself, also after its
// registration has expired. It returns [store.ErrNotFound] for one that is gone.
func (cs *Clients) Name(ctx context.Context, tx store.Tx, id string) (string, error) {
	if l, ok := cs.listed[id]; ok {
		return l.Name, nil
	}
	c, err := tx.Client(ctx, id)
	return c.Name, err
}
