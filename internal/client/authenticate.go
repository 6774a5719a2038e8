package client

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Refusals of Authenticate, besides [ErrUnknown].
var (
	ErrPublic      = errors.New("client: a public client has sent a secret or an assertion")
	ErrCredentials = errors.New("client: no proof, a wrong one, or one of the wrong kind")
	ErrAssertion   = errors.New("client: an assertion that proves nothing, or was used before")
	ErrKeys        = errors.New("client: the client's keys cannot be read now")
)

// Methods of client authentication (RFC 7591 section 2, OpenID Connect Core
// section 9).
const (
	None          = "none"
	SecretBasic   = "client_secret_basic"
	SecretPost    = "client_secret_post"
	PrivateKeyJWT = "private_key_jwt"
)

// Credentials are what a request says of the client that makes it.
type Credentials struct {
	ClientID string      // of the form; may be empty where a header or an assertion names the client
	Secret   secret.Text // of the form

	Header   bool        // whether there is an Authorization header
	User     string      // in it, decoded; empty where it cannot be read
	Password secret.Text // in it, decoded

	AssertionType string
	Assertion     secret.Text
}

// Authenticate returns the client that makes a request (RFC 6749 section 2.3),
// once it has shown by exactly one of the methods that it is registered for that
// it is the one. Who has no secret and no keys shows nothing: for those PKCE
// binds what they finish to what they began.
//
// It refuses with [ErrUnknown], [ErrPublic], [ErrCredentials], [ErrAssertion]
// and [ErrKeys].
func (cs *Clients) Authenticate(ctx context.Context, cred Credentials) (store.Client, error) {
	method, one := cred.method()
	var a assertion
	var err error
	id, named := cred.ClientID, cred.ClientID
	switch {
	case !one:
		return store.Client{}, ErrCredentials
	case method == SecretBasic:
		named = cred.User
	case method == PrivateKeyJWT:
		if a, err = readAssertion(cred); err != nil {
			return store.Client{}, err
		}
		named = a.subject
	}
	if named == "" || id != "" && id != named {
		return store.Client{}, ErrCredentials
	}
	c, err := cs.Lookup(ctx, named)
	if err != nil {
		return store.Client{}, err
	}
	if err := cs.prove(ctx, c, method, cred, a); err != nil {
		return store.Client{}, err
	}
	return c, nil
}

// method returns how the request authenticates. It reports false for a request
// that tries it in two ways at once, of which only one could be looked at. An
// empty secret is none.
func (cred Credentials) method() (method string, one bool) {
	method, ways := None, 0
	for _, way := range []struct {
		method string
		used   bool
	}{
		{SecretBasic, cred.Header},
		{SecretPost, cred.Secret.Reveal() != ""},
		{PrivateKeyJWT, cred.Assertion.Reveal() != "" || cred.AssertionType != ""},
	} {
		if way.used {
			method = way.method
			ways++
		}
	}
	return method, ways <= 1
}

// prove is the rule: which method c may use, and whether it holds.
func (cs *Clients) prove(ctx context.Context, c store.Client, method string, cred Credentials, a assertion) error {
	registered, secrets, err := cs.authentication(c)
	if err != nil {
		return err
	}
	methods := registered.Methods
	if len(methods) == 0 {
		methods = []string{None}
	}
	switch {
	case !slices.Contains(methods, method) && slices.Equal(methods, []string{None}):
		return ErrPublic
	case !slices.Contains(methods, method):
		return ErrCredentials
	}
	switch {
	case method == PrivateKeyJWT:
		return cs.checkAssertion(ctx, c, registered, a)
	case method == None, method == SecretBasic && cred.Password.Among(secrets), method == SecretPost && cred.Secret.Among(secrets):
		return nil
	}
	return ErrCredentials
}

// authentication returns how c authenticates, as its operator or its document
// says, and the hashes of its secrets.
func (cs *Clients) authentication(c store.Client) (Authentication, []store.Hash, error) {
	if l, ok := cs.listed[c.ID]; ok {
		return l.Authentication, l.secrets, nil
	}
	a, err := authenticationOf(c)
	return a, nil, err
}

// Methods returns the methods by which some client may authenticate, for the
// server's metadata.
func (cs *Clients) Methods() []string {
	methods := []string{None}
	for _, method := range []string{SecretBasic, SecretPost, PrivateKeyJWT} {
		if method == PrivateKeyJWT && cs.ReadsDocuments() || cs.someListed(method) {
			methods = append(methods, method)
		}
	}
	return methods
}

func (cs *Clients) someListed(method string) bool {
	for _, l := range cs.listed {
		if slices.Contains(l.Methods, method) {
			return true
		}
	}
	return false
}

// Names returns whom cred names, before anything is proven; empty for nobody.
func (cred Credentials) Names() string {
	if cred.Assertion.Reveal() != "" {
		if a, err := readAssertion(cred); err == nil {
			return a.subject
		}
	}
	return cmp.Or(cred.User, cred.ClientID)
}
