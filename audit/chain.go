package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

const (
	chainID    = "audit"
	sealedHead = "head of the audit chain"
	chainKey   = "key of the audit chain"
)

// A head is what is known of the chain besides its events. Nobody reads or writes
// it who does not know the secrets.
type head struct {
	Place      int               // of the newest event that was sealed
	MAC        []byte            // of that event
	Deleted    int               // place of the newest event that was deleted, because it was old
	DeletedMAC []byte            // of that event: what the oldest that is left follows
	Keys       map[string][]byte // of MACs, by their names: also those of secrets that are gone since
	By         string            // names the secret under which the head is sealed
}

// load reads the head of the chain.
func load(ctx context.Context, tx store.Tx, keys secret.Keys) (head, error) {
	c, err := tx.Chain(ctx, chainID)
	if errors.Is(err, store.ErrNotFound) {
		sealed, err := tx.SealedEvents(ctx, math.MinInt64, 1)
		if len(sealed) > 0 {
			return head{}, &Tampering{Found: "the head of the chain is missing"}
		}
		first := make([]byte, sha256.Size)
		return head{MAC: first, DeletedMAC: first, Keys: map[string][]byte{}}, err
	} else if err != nil {
		return head{}, err
	}
	var h head
	if err := keys.Open(sealedHead, string(c.Head), &h); err != nil {
		return head{}, &Tampering{Found: "the head of the chain was changed, or was sealed under a secret that is not among these"}
	}
	return h, nil
}

func (h head) put(ctx context.Context, tx store.Tx, keys secret.Keys) error {
	h.By = keys.KeyID()
	sealed, err := keys.Seal(sealedHead, h)
	if err != nil {
		return err
	}
	return tx.PutChain(ctx, store.Chain{ID: chainID, Head: []byte(sealed.Reveal())})
}

// seal returns e as the next of the chain, which ends with it then.
func (h *head) seal(e store.Event, keys secret.Keys) store.Event {
	key := h.adopt(keys)
	h.Place++
	e.Place, e.KeyID = h.Place, keys.KeyID()
	e.MAC = macOf(key, h.MAC, e)
	h.MAC = e.MAC
	return e
}

// adopt returns the key of MACs under the first secret, which the head knows from
// then on.
func (h *head) adopt(keys secret.Keys) []byte {
	id := keys.KeyID()
	if h.Keys[id] == nil {
		h.Keys[id] = keys.Derive(chainKey)
	}
	return h.Keys[id]
}

// dated reports whether the head is sealed under a secret that is not the first
// any more, and may soon be gone.
func (h *head) dated(keys secret.Keys) bool { return h.Place > 0 && h.By != keys.KeyID() }

// macOf is the MAC of e behind an event whose MAC is before.
func macOf(key, before []byte, e store.Event) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(before) // always as long
	m.Write(encode(e))
	return m.Sum(nil)
}

// encode writes every field of e but the MAC, so that no two events have one
// text. A field that is empty is left out: one that comes later changes no MAC of
// events that were before it.
func encode(e store.Event) []byte {
	var b []byte
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"id", one(e.ID)}, {"at", instant(e.At)}, {"until", instant(e.Until)}, {"kind", one(e.Kind)}, {"request", one(e.Request)},
		{"grant", one(e.GrantID)}, {"client", one(e.ClientID)}, {"user", one(e.UserID)}, {"guest", one(e.GuestID)}, {"level", one(e.Level)},
		{"item", one(e.Item)}, {"method", one(e.Method)}, {"outcome", one(e.Outcome)}, {"reason", one(e.Reason)}, {"scopes", e.Scopes}, {"roles", e.Roles},
		{"operation", one(e.Operation)}, {"by", one(e.By)}, {"whom", one(e.Whom)}, {"count", number(e.Count)}, {"place", number(e.Place)}, {"key", one(e.KeyID)},
	} {
		if len(f.values) == 0 {
			continue
		}
		b = appendText(b, f.name)
		b = binary.AppendUvarint(b, uint64(len(f.values)))
		for _, v := range f.values {
			b = appendText(b, v)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func number(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{strconv.Itoa(n)}
}

func instant(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	return []string{strconv.FormatInt(t.UnixMicro(), 10)} // as the store keeps it
}
