package mcpgate

import "net/http"

const cacheControl = "no-store, private" // who asks decides what the answer is

// An uncached writes answers of the SDK, which says no-cache on its own: that
// lets a cache keep what one caller may see.
type uncached struct {
	http.ResponseWriter
	begun bool
}

func (u *uncached) WriteHeader(status int) {
	u.begin()
	u.ResponseWriter.WriteHeader(status)
}

func (u *uncached) Write(p []byte) (int, error) {
	u.begin()
	return u.ResponseWriter.Write(p)
}

func (u *uncached) begin() {
	if !u.begun {
		u.begun = true
		u.Header().Set("Cache-Control", cacheControl+", no-transform")
	}
}

// Unwrap is for [http.ResponseController].
func (u *uncached) Unwrap() http.ResponseWriter { return u.ResponseWriter }
