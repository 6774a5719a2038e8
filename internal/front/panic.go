package front

import (
	"fmt"
	"net/http"
	"runtime/debug"
)

// An answer knows whether it has begun.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// recover answers a request whose handler panicked. The value may hold a secret:
// its type and the stack are logged, not it. An answer that has begun is broken
// off, so that nobody takes it for a whole one.
func (f *Front) recover(w *answer, r *http.Request) {
	v := recover()
	switch v {
	case nil:
		return
	case http.ErrAbortHandler:
		panic(v)
	}
	f.Log.ErrorContext(r.Context(), "panic", "method", r.Method, "path", r.URL.Path, "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	f.refuse(w, r, http.StatusInternalServerError, "the server failed; try again in a moment")
}
