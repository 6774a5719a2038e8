package authserver

import (
	"encoding/json"
	"errors"
	"io"
	"math"
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

// An unread is a body that cannot be read, in the words of the protocol.
type unread struct {
	status int
	words  oauth.Error
}

func unreadable(status int, description string) *unread {
	return &unread{status, oauth.Error{Code: oauth.InvalidRequest, Description: description}}
}

// readForm returns the form in the body of r: parameters in the URL do not
// count (RFC 6749 section 2.3.1), and none may come twice (section 3.2).
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *unread) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, unreadable(http.StatusBadRequest, "the body must be application/x-www-form-urlencoded")
	}
	body, problem := readBody(w, r, maxForm)
	if problem != nil {
		return nil, problem
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, unreadable(http.StatusBadRequest, "the form cannot be read")
	}
	if twice(form) {
		return nil, unreadable(http.StatusBadRequest, "a parameter is given twice")
	}
	return form, nil
}

// readBody reads no more than limit bytes, however many are announced.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *unread) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, unreadable(http.StatusRequestEntityTooLarge, "the body may have "+strconv.FormatInt(limit, 10)+" bytes")
	case err != nil:
		return nil, unreadable(http.StatusBadRequest, "the body cannot be read")
	}
	return body, nil
}

// twice reports whether a parameter is given more than once. Several resources
// are no accident (RFC 8707 section 2), and have a refusal of their own.
func twice(values url.Values) bool {
	for name, all := range values {
		if len(all) > 1 && name != "resource" {
			return true
		}
	}
	return false
}

// within asks rate about the address that r comes from, unless that is exempt,
// and answers the request itself where the answer is no.
func (s *Server) within(w http.ResponseWriter, r *http.Request, rate *limit.Rate, key string) bool {
	wait, ok := s.spend(r, rate, key)
	if !ok {
		tooMany(w, wait)
	}
	return ok
}

// spend is within, without the answer.
func (s *Server) spend(r *http.Request, rate *limit.Rate, key string) (wait time.Duration, ok bool) {
	addr := peer(r)
	if s.Exempt != nil && s.Exempt(addr) {
		return 0, true
	}
	if key == "" {
		key = limit.ClientKey(addr)
	}
	return rate.Allow(key, s.Now())
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	respond(w, http.StatusTooManyRequests, oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "too many requests; wait as long as Retry-After says"})
}

func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}
