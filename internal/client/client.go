// Package client holds the rules of clients: who may register, whose metadata
// document is believed, and which client asks. Every client is public (RFC 6749
// section 2.1): it proves by PKCE that it began what it finishes, and has no
// secret.
package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

	ErrDistrusted     = errors.New("client: metadata document at a host that is not trusted")
	ErrDocument       = errors.New("client: metadata document that cannot be accepted")
	ErrUnavailable    = errors.New("client: metadata document that cannot be read now")
	ErrAuthentication = errors.New("client: offers no way to authenticate that is known here")
)

const (
	maxRedirectURIs = 10
	maxName         = 200 // bytes
)

// Clients applies the rules to a store. It is safe for concurrent use.
type Clients struct {
	store     store.Store
	documents *Documents
	unused    time.Duration
	now       func() time.Time
}

// New returns the rules over s. A client that was never used expires after
// unused. Without documents every client has to register.
func New(s store.Store, documents *Documents, unused time.Duration, now func() time.Time) *Clients {
	return &Clients{s, documents, unused, now}
}

// Register remembers a client that describes itself by m (RFC 7591 section
// 3.1). Equal descriptions are one client: hosts that register again for every
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
	err = cs.store.Update(ctx, func(tx store.Tx) (err error) {
		now := cs.now()
		c, err = tx.ClientByDigest(ctx, described.Digest)
		if errors.Is(err, store.ErrNotFound) {
			c = described
			c.ID, c.Created = "client_"+rand.Text(), now
		} else if err != nil {
			return err
		}
		least := now.Add(cs.unused) // whoever registers, also as one of many, has so long to begin
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

// Known reports whether a client that describes itself by m is registered: to
// register it again adds no record. It refuses as Register does.
func (cs *Clients) Known(ctx context.Context, m oauth.ClientMetadata) (known bool, err error) {
	described, err := describe(m)
	if err != nil {
		return false, err
	}
	err = cs.store.View(ctx, func(tx store.Tx) error {
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
	if err := checkName(m.ClientName); err != nil {
		return store.Client{}, err
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

func checkName(name string) error {
	if len(name) > maxName || strings.ContainsRune(name, 0) {
		return ErrMetadata
	}
	return nil
}

// Lookup returns the client with that ID. One whose ID is a URL is looked up by
// its metadata document, which is fetched where the one at hand is not fresh.
//
// It refuses with [ErrUnknown], [ErrDistrusted], [ErrDocument] or
// [ErrUnavailable].
func (cs *Clients) Lookup(ctx context.Context, id string) (store.Client, error) {
	if oauth.IsDocumentURL(id) {
		return cs.lookupDocument(ctx, id)
	}
	return cs.record(ctx, id)
}

// LookupPublic is Lookup for an endpoint where clients authenticate. It refuses
// with [ErrAuthentication] besides: that a client is public, it must have said.
func (cs *Clients) LookupPublic(ctx context.Context, id string) (store.Client, error) {
	c, err := cs.Lookup(ctx, id)
	if err != nil {
		return store.Client{}, err
	}
	a, err := authenticationOf(c)
	if err != nil || len(a.Methods) > 0 && !slices.Contains(a.Methods, methodNone) {
		return store.Client{}, ErrAuthentication
	}
	return c, nil
}

// record returns the client that the store remembers by that ID.
func (cs *Clients) record(ctx context.Context, id string) (c store.Client, err error) {
	err = cs.store.View(ctx, func(tx store.Tx) error {
		c, err = tx.Client(ctx, id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !cs.now().Before(c.Expires):
		return store.Client{}, ErrUnknown
	case err != nil:
		return store.Client{}, fmt.Errorf("client: look up: %w", err)
	}
	return c, nil
}
