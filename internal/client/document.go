package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
)

// maxDocumentURIs is more than clients have. It bounds the work of comparing
// them.
const maxDocumentURIs = 100

// A document is what a client's metadata document says
// (draft-ietf-oauth-client-id-metadata-document section 4), in the members that
// are read here. As JSON it is a metadata document again.
type document struct {
	ClientID     string          `json:"client_id"`
	Name         string          `json:"client_name"`
	RedirectURIs []string        `json:"redirect_uris"` // those that can be accepted
	Methods      []string        `json:"token_endpoint_auth_methods_supported"`
	Keys         json.RawMessage `json:"jwks,omitempty"`
	KeysURI      string          `json:"jwks_uri,omitempty"`
}

var errDocument = errors.New("client: not a metadata document of this URL")

// parseDocument reads the metadata document at the URL id. It refuses one that
// says it is another's, that holds a secret, or that leaves no redirect URI or
// no way to authenticate that can be accepted. Members have exact names, each
// comes once, and a null counts as absent.
func parseDocument(id string, body []byte) (d document, err error) {
	all, err := members(body)
	if err != nil {
		return document{}, err
	}
	for name := range all {
		if strings.HasPrefix(name, "client_secret") { // everybody can read the document
			return document{}, errDocument
		}
	}
	var uris []json.RawMessage
	err = errors.Join(all.read("client_id", &d.ClientID), all.read("client_name", &d.Name), all.read("redirect_uris", &uris),
		all.read("jwks_uri", &d.KeysURI), d.setMethods(all))
	switch {
	case err != nil:
		return document{}, err
	case d.ClientID != id, strings.TrimSpace(d.Name) == "", !goodName(d.Name), len(uris) > maxDocumentURIs:
		return document{}, errDocument
	}
	for _, raw := range uris {
		var uri string
		if json.Unmarshal(raw, &uri) == nil && oauth.CheckRedirectURI(uri) == nil {
			d.RedirectURIs = append(d.RedirectURIs, uri)
		}
	}
	if len(d.RedirectURIs) == 0 {
		return document{}, errDocument
	}
	return d, nil
}

// setMethods reads how the client authenticates. It may name one method, and all
// that it can use (OpenID Connect RP Metadata Choices): ChatGPT prefers
// private_key_jwt, and can do without. Of those the ones that are known here
// count; a shared secret as the one method is a mistake.
func (d *document) setMethods(all object) error {
	var one string
	var several []string
	var keys map[string]json.RawMessage
	err := errors.Join(all.read("token_endpoint_auth_method", &one), all.read("token_endpoint_auth_methods_supported", &several), all.read("jwks", &keys))
	if err != nil || strings.HasPrefix(one, "client_secret") {
		return errDocument
	}
	d.Keys = all["jwks"]
	if one != "" {
		several = append(several, one)
	} else if several == nil {
		several = []string{None}
	}
	for _, method := range []string{None, PrivateKeyJWT} {
		if slices.Contains(several, method) && (method == None || keys != nil || d.KeysURI != "") {
			d.Methods = append(d.Methods, method)
		}
	}
	if len(d.Methods) == 0 {
		return errDocument
	}
	return nil
}

// authentication is how the client authenticates. Keys in the document count
// before keys elsewhere.
func (d document) authentication() Authentication {
	a := Authentication{Methods: d.Methods, Keys: d.Keys}
	if len(d.Keys) == 0 {
		a.KeysURI = d.KeysURI
	}
	return a
}

// client is the client of d, as the store may remember it.
func (d document) client() (store.Client, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		return store.Client{}, err
	}
	return store.Client{ID: d.ClientID, Name: d.Name, RedirectURIs: d.RedirectURIs, Document: text.Bytes(),
		Digest: sha256.Sum256([]byte(d.ClientID))}, nil // no description of a registration is a URL
}

// authenticationOf is how c authenticates: as its document says, else not at
// all.
func authenticationOf(c store.Client) (Authentication, error) {
	if c.Document == nil {
		return Authentication{}, nil
	}
	d, err := parseDocument(c.ID, c.Document)
	return d.authentication(), err
}

// An object is the members of a JSON object by their exact names, but for those
// that are null.
type object map[string]json.RawMessage

// members refuses an object with a name that comes twice: two readers could take
// it for two documents.
func members(body []byte) (object, error) {
	if !json.Valid(body) { // else what follows the object would go unread
		return nil, errDocument
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errDocument
	}
	all := object{}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok || seen[name] {
			return nil, errDocument
		}
		seen[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errDocument
		}
		if string(value) != "null" {
			all[name] = value
		}
	}
	return all, nil
}

// read reads a member into value, which keeps what it has where there is none.
func (o object) read(name string, value any) error {
	raw, ok := o[name]
	if !ok {
		return nil
	}
	if json.Unmarshal(raw, value) != nil {
		return errDocument
	}
	return nil
}
