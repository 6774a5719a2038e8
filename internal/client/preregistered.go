package client

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A Preregistered client is known from the configuration, and never a record: a
// grant names no more of it than its ID. Without secrets and keys it is public.
type Preregistered struct {
	ID           string
	Name         string
	RedirectURIs []string
	Secrets      []string // any of them will do; kept as hashes alone
	Keys         []byte   // JWK Set (RFC 7517), for private_key_jwt
	KeysURI      string   // where one is, instead of Keys
}

// A listed client is what is kept of a preregistered one.
type listed struct {
	store.Client
	Authentication
	secrets []store.Hash
}

const (
	minSecret = 32  // bytes
	maxID     = 200 // bytes
)

// listAll returns the clients by ID, or everything that is wrong with them, in the
// words of the configuration.
func listAll(all []Preregistered, fetches bool) (map[string]listed, error) {
	clients := map[string]listed{}
	var problems []error
	for i, p := range all {
		name := fmt.Sprintf("Clients: %q", p.ID)
		if p.ID == "" {
			name = fmt.Sprintf("Clients: number %d", i+1)
		}
		for _, problem := range p.problems(fetches) {
			problems = append(problems, fmt.Errorf("%s: %w", name, problem))
		}
		if _, twice := clients[p.ID]; twice && p.ID != "" {
			problems = append(problems, fmt.Errorf("%s: is listed twice", name))
		}
		clients[p.ID] = p.listed()
	}
	return clients, errors.Join(problems...)
}

func (p Preregistered) problems(fetches bool) (problems []error) {
	add := func(wrong bool, format string, values ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, values...))
		}
	}
	add(p.ID == "", "ID is missing")
	add(len(p.ID) > maxID || strings.ContainsFunc(p.ID, notUnreserved),
		"ID may have %d letters, digits and -._~; a URL would be the ID of a metadata document", maxID)
	add(strings.HasPrefix(p.ID, idPrefix), "ID must not begin with %s, as those of registered clients do", idPrefix)
	add(!goodName(p.Name), "Name may have %d bytes, and no zero byte", maxName)
	add(len(p.RedirectURIs) == 0, "RedirectURIs are missing")
	for _, uri := range p.RedirectURIs {
		var refusal *oauth.Error
		if errors.As(oauth.CheckRedirectURI(uri), &refusal) {
			add(true, "RedirectURIs: %q: %s", uri, refusal.Description)
		}
	}
	for i, s := range p.Secrets { // no error shows one
		add(len(s) < minSecret, "Secrets: number %d has %d bytes and needs %d; make one with: openssl rand -hex 32", i+1, len(s), minSecret)
		add(strings.ContainsFunc(s, notUnreserved),
			"Secrets: number %d has a character that clients encode in different ways; letters, digits and -._~ are safe; make one with: openssl rand -hex 32", i+1)
	}
	add(len(p.Keys) > 0 && p.KeysURI != "", "Keys and KeysURI: only one may be given")
	if len(p.Keys) > 0 {
		_, err := publicKeys(p.Keys)
		add(err != nil, "Keys: %w", err)
	}
	if p.KeysURI != "" {
		u, err := url.Parse(p.KeysURI)
		add(err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "", "KeysURI %q must be an https URL", p.KeysURI)
		add(!fetches, "KeysURI: this server fetches no keys; give them as Keys")
	}
	return problems
}

func (p Preregistered) listed() listed {
	l := listed{
		Client:         store.Client{ID: p.ID, Name: p.Name, RedirectURIs: p.RedirectURIs},
		Authentication: Authentication{Keys: p.Keys, KeysURI: p.KeysURI},
	}
	if len(p.Secrets) > 0 {
		l.Methods = append(l.Methods, SecretBasic, SecretPost)
	}
	if len(p.Keys) > 0 || p.KeysURI != "" {
		l.Methods = append(l.Methods, PrivateKeyJWT)
	}
	for _, s := range p.Secrets {
		l.secrets = append(l.secrets, secret.HashOf(s))
	}
	return l
}

// notUnreserved is the negation of unreserved (RFC 3986 section 2.3). Those
// characters are the same with and without the encoding of RFC 6749 section
// 2.3.1, which half of the clients leave out.
func notUnreserved(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
}
