package main

import (
	"log/slog"
	"net/http"
	"time"
)

// logging writes one record for each request, when it is over; for a stream that
// may be an hour later. It logs the path and neither the query, which at
// /authorize is the client's, nor a header, of which one is the access token.
func logging(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, seen := time.Now(), &watched{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", seen.status, "took", time.Since(begun))
		}()
		next.ServeHTTP(seen, r)
	})
}

// A watched knows which status was written.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is what a middleware must not forget: without it an
// [http.ResponseController] finds no Flush, nothing that is said on a stream
// leaves the server before its end, and no deadline can be set.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
