package client

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"example.com/foyer/internal/oauth"
)

// Trust says whose metadata documents are believed. The zero value believes
// every host of its own clients.
type Trust struct {
	Hosts []string                              // those that are; none for any
	Trust func(context.Context, *url.URL) error // an error refuses; or nil
	Plain bool                                  // http will do
}

// check refuses a client ID before anything is fetched for it, and each time the
// client is looked up: trust may end.
func (t Trust) check(ctx context.Context, id string) error {
	if oauth.CheckDocumentURL(id) != nil {
		return ErrDocument
	}
	u, err := url.Parse(id)
	if err != nil || u.Scheme != "https" && !t.Plain {
		return ErrDocument
	}
	if len(t.Hosts) > 0 && !slices.Contains(t.Hosts, strings.ToLower(u.Hostname())) {
		return ErrDistrusted
	}
	if t.Trust == nil || t.Trust(ctx, u) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // nobody has decided
	}
	return ErrDistrusted
}
