package authserver

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/oauth"
)

// program wraps an endpoint that programs call, on any page: it answers JSON,
// carries no cookie, and is kept by no cache.
func (s *Server) program(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next(w, r)
	})
}

// preflight answers the question of a browser, whether a page may call (Fetch
// standard, CORS protocol).
func preflight(methods string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", methods)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Authorization, MCP-Protocol-Version")
		w.Header().Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	})
}

func methodNotAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		respond(w, http.StatusMethodNotAllowed, oauth.Error{Code: oauth.InvalidRequest, Description: "use " + allow})
	}
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // an error means that the client has gone
}

// readForm returns the form in the body of r: parameters in the URL do not
// count (RFC 6749 section 2.3.1), and none may come twice (section 3.2).
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidRequest, Description: "the body must be application/x-www-form-urlencoded"})
		return nil, false
	}
	body, ok := readBody(w, r, maxForm)
	if !ok {
		return nil, false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidRequest, Description: "the form cannot be read"})
		return nil, false
	}
	if name := twice(form); name != "" && len(form["resource"]) <= 1 {
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidRequest, Description: "a parameter is given twice"})
		return nil, false
	}
	return form, true
}

// readBody reads no more than limit bytes, however many are announced.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		respond(w, http.StatusRequestEntityTooLarge, oauth.Error{Code: oauth.InvalidRequest, Description: "the body may have " + strconv.FormatInt(limit, 10) + " bytes"})
	case err != nil:
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidRequest, Description: "the body cannot be read"})
	}
	return body, err == nil
}

// twice returns the name of a parameter that is given more than once, or "".
func twice(values url.Values) string {
	for name, all := range values {
		if len(all) > 1 {
			return name
		}
	}
	return ""
}

// within asks rate about the address that r comes from, unless that is exempt,
// and answers the request itself where the answer is no.
func (s *Server) within(w http.ResponseWriter, r *http.Request, rate *limit.Rate, key string) bool {
	addr := peer(r)
	if s.Exempt != nil && s.Exempt(addr) {
		return true
	}
	if key == "" {
		key = limit.ClientKey(addr)
	}
	wait, ok := rate.Allow(key, s.Now())
	if !ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(wait/time.Second))))
		respond(w, http.StatusTooManyRequests, oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "too many requests; wait as long as Retry-After says"})
	}
	return ok
}

func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}
