package mcpgate

import "net/http"

// Unguarded looks the caller up, and asks no rule: the middleware behind it is
// alone.
func (g *Gate) Unguarded(e Endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := g.authenticate(w, r, e, nil); ok {
			carry(w, r, next, c, nil)
		}
	})
}
