package store

import (
	"context"
	"time"
)

// A Client is an application that may ask for authorization (RFC 6749 section
// 1.1).
type Client struct {
	ID           string   // a URL where the client is known by its metadata document
	Name         string   // as the client calls itself; nobody has checked it
	RedirectURIs []string // never empty; a URI holds no space
	Digest       Hash     // of its metadata: equal registrations share one record; or of its URL
	Created      time.Time
	LastUsed     time.Time // when a code was last redeemed; zero for never
	Expires      time.Time
	Document     []byte    // its metadata document, or nil; nil also where the document may not be kept
	Fresh        time.Time // until when Document need not be fetched again
}

// Clients are looked up by ID, and by the digest of their metadata, which is
// unique.
type Clients interface {
	Client(ctx context.Context, id string) (Client, error)
	ClientByDigest(ctx context.Context, digest Hash) (Client, error)
	PutClient(ctx context.Context, c Client) error

	// TrimUnusedClients deletes clients that were never used, those first that
	// expire first, until at most keep of them are there. It returns how many
	// are.
	TrimUnusedClients(ctx context.Context, keep int) (left int, err error)
}
