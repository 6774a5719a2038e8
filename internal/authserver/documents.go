package authserver

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// MayLookUp reports whether the client that r names may be looked up. Where that
// makes a host answer that nobody here has met, the address that r comes from
// has so many tries; documents that are at hand cost none, because many people
// share the addresses of hosted clients.
func (s *Server) MayLookUp(r *http.Request, clientID string) (wait time.Duration, ok bool) {
	stranger, err := s.Clients.Stranger(r.Context(), clientID)
	if err != nil || !stranger {
		return 0, true // a fault shows again in the look-up
	}
	return s.spend(r, s.documents, "")
}

// unproven writes the page of a client that could not be looked up.
func (s *Server) unproven(w http.ResponseWriter, r *http.Request, clientID string, err error) {
	host := hostOf(clientID)
	switch {
	case errors.Is(err, client.ErrUnknown):
		s.forgotten(w, r)
	case errors.Is(err, client.ErrDistrusted):
		s.page(w, r, http.StatusBadRequest, distrusted(s.App, host))
	case errors.Is(err, client.ErrDocument):
		s.page(w, r, http.StatusBadRequest, badDocument(s.App))
	case errors.Is(err, client.ErrUnavailable):
		s.page(w, r, http.StatusServiceUnavailable, unreadDocument(s.App, host))
	default:
		s.fault(r, err)
		s.page(w, r, http.StatusInternalServerError, failed)
	}
}

// called is what a page calls a client.
func called(c store.Client) words.Text { return words.Client(c.ID, c.Name) }

// hostOf is the host of the URL of a document, with its port if it names
// one.
func hostOf(id string) string {
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// trusted reports whether the browser may be sent to the redirect URI of req
// without a page. The host of a metadata document sends browsers to itself
// anyway; to send them elsewhere, it has to be trusted like anybody.
func (req request) trusted() bool {
	return oauth.TrustedRedirect(req.RedirectURI) || oauth.SameOrigin(req.Client.ID, req.RedirectURI)
}
