package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysFresh   = time.Hour        // for so long nobody asks again
	keysStale   = 24 * time.Hour   // for so long keys are good while their host fails
	keysPause   = 10 * time.Second // after an answer, until an unknown key makes us ask again
	keysRetry   = time.Second      // after a failure
	keysTimeout = 5 * time.Second
	maxKeySets  = 1000
)

// keySets are the keys of clients that keep them elsewhere. Whoever sends a
// token chooses the ID of the key in it, so an unknown one makes the host of a
// set be asked once in ten seconds, by one request for all. Within those seconds
// an unknown key is no refusal, but [ErrKeys], "try again": it may be a new key
// that is right, and strangers must not be able to shut it out.
type keySets struct {
	fetch func(ctx context.Context, uri string) ([]byte, error)
	now   func() time.Time

	mu   sync.Mutex
	sets map[string]*keySet // by URI
}

type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time     // when the keys came; zero for never
	next    time.Time     // when the host may be asked again
	coming  chan struct{} // closed when the fetch that runs is over; nil while none runs
}

// of returns the keys at uri, in the best hope that kid is among them.
func (k *keySets) of(ctx context.Context, uri, kid string) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.set(uri)
	fresh := k.now().Before(s.fetched.Add(keysFresh))
	waitless := s.coming != nil && k.now().Before(s.fetched.Add(keysStale))
	if (fresh || waitless) && s.has(kid) {
		return s.keys, nil
	}
	asked := s.coming != nil || !k.now().Before(s.next)
	if err := k.refresh(ctx, s, uri, asked); err != nil {
		return nil, err
	}
	switch good := k.now().Before(s.fetched.Add(keysStale)); {
	case good && s.has(kid):
		return s.keys, nil
	case good && asked && k.now().Before(s.fetched.Add(keysPause)):
		return nil, ErrAssertion // the host has just said that there is no such key
	}
	return nil, ErrKeys
}

// refresh fetches s, or waits for the one who does. It holds the lock at
// its beginning and at its end, and not in between.
func (k *keySets) refresh(ctx context.Context, s *keySet, uri string, asked bool) error {
	switch {
	case !asked:
		return nil
	case s.coming != nil:
		coming := s.coming
		k.mu.Unlock()
		defer k.mu.Lock()
		select {
		case <-coming:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.coming = make(chan struct{})
	defer func() {
		close(s.coming)
		s.coming = nil
	}()
	keys, err := k.ask(ctx, uri)
	if err != nil {
		s.next = k.now().Add(keysRetry)
		return nil
	}
	s.keys, s.fetched, s.next = keys, k.now(), k.now().Add(keysPause)
	return nil
}

// ask asks the host, without the lock. Others wait for the answer, so it goes on
// when the client of the request hangs up.
func (k *keySets) ask(ctx context.Context, uri string) ([]jose.JSONWebKey, error) {
	k.mu.Unlock()
	defer k.mu.Lock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
	defer cancel()
	text, err := k.fetch(ctx, uri)
	if err != nil {
		return nil, err
	}
	return publicKeys(text)
}

// set returns what is known of uri. Where too much is, something makes room.
func (k *keySets) set(uri string) *keySet {
	s := k.sets[uri]
	if s != nil {
		return s
	}
	for other, old := range k.sets {
		if len(k.sets) < maxKeySets {
			break
		}
		if old.coming == nil {
			delete(k.sets, other)
		}
	}
	s = &keySet{}
	k.sets[uri] = s
	return s
}

// has reports whether kid may be that of a key in s.
func (s *keySet) has(kid string) bool {
	return len(s.keys) > 0 && (kid == "" || slices.ContainsFunc(s.keys, func(key jose.JSONWebKey) bool { return key.KeyID == "" || key.KeyID == kid }))
}
