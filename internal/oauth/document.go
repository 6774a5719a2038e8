package oauth

import (
	"errors"
	"net/url"
	"strings"
)

// IsDocumentURL reports whether a client ID is meant as the URL of a metadata
// document (draft-ietf-oauth-client-id-metadata-document section 3). No client
// that registers gets such an ID.
func IsDocumentURL(id string) bool {
	return strings.HasPrefix(id, "https://") || strings.HasPrefix(id, "http://")
}

// DocumentHost returns the host, with its port, whose metadata document describes the
// client id, which that proves; empty for a client without one.
func DocumentHost(id string) string {
	u, err := url.Parse(id)
	if err != nil || !IsDocumentURL(id) {
		return ""
	}
	return strings.ToLower(u.Host)
}

// CheckDocumentURL refuses what cannot be the URL of a metadata document. What
// passes has a host and a path, and neither user, query, fragment, dot segment
// nor encoded separator, so that nobody reads it otherwise.
//
// A query would be allowed by the draft, which advises against it. It is refused
// because many a trusted host has a page that answers in the words of its query.
func CheckDocumentURL(id string) error {
	u, err := parseURI(id)
	switch {
	case err != nil:
		return err
	case u.scheme != "https" && u.scheme != "http" || u.host == "":
		return errors.New("is not the URL of a document")
	case u.path == "" || u.path == "/":
		return errors.New("has no path")
	case u.query != "":
		return errors.New("has a query")
	}
	return nil
}

// SameOrigin reports whether two https URLs have one origin (RFC 6454 section
// 4). It is false for everything else.
func SameOrigin(a, b string) bool {
	x, errX := parseURI(a)
	y, errY := parseURI(b)
	return errX == nil && errY == nil && x.scheme == "https" && y.scheme == "https" && x.host != "" &&
		strings.EqualFold(x.host, y.host) && x.httpsPort() == y.httpsPort()
}

func (u uri) httpsPort() string {
	if u.port == "" {
		return "443"
	}
	return u.port
}
