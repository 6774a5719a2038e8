package mcpgate

import (
	"encoding/json"
	"net/http"
	"strings"
)

const cacheControl = "no-store, private" // who asks decides what the answer is

// An answer is one of the SDK's, put right on its way out. The SDK says no-cache
// on its own, which lets a cache keep what one caller may see. And it refuses
// some requests in plain text, where a client of the protocol reads JSON alone.
type answer struct {
	http.ResponseWriter
	id     json.RawMessage // of the request, where it has one
	status int             // 0 until it has begun
	plain  bool            // what the SDK writes is the text of a refusal
}

func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	a.Header().Set("Cache-Control", cacheControl+", no-transform")
	if a.plain = status >= 400 && strings.HasPrefix(a.Header().Get("Content-Type"), "text/plain"); a.plain {
		a.Header().Del("Content-Length")
		return // with the text, which http.Error writes next, and at once
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if !a.plain {
		return a.ResponseWriter.Write(p)
	}
	code, text := invalidRequest, strings.TrimSpace(string(p))
	if a.status >= 500 {
		code, text = a.status, "the server failed; try again in a moment"
	}
	writeError(a.ResponseWriter, a.status, a.id, code, text, nil)
	return len(p), nil
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
