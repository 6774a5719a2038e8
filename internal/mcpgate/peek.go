package mcpgate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	stdjson "encoding/json"

	"github.com/segmentio/encoding/json"
)

// A message is what the gate reads of a JSON-RPC message.
type message struct {
	ID     stdjson.RawMessage `json:"id"`
	Method string             `json:"method"`
	Params struct {
		Name string `json:"name"`
		URI  string `json:"uri"`
		Ref  struct {
			Type string `json:"type"`
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"ref"`
	} `json:"params"`
}

// JSON-RPC error codes (JSON-RPC 2.0 section 5.1).
const (
	parseError     = -32700
	invalidRequest = -32600
	invalidParams  = -32602
)

// read reads the message in the body of r, and puts the same bytes back for the
// SDK. It answers the request itself where the body is none that the SDK would
// read in one way only.
func (g *Gate) read(w http.ResponseWriter, r *http.Request) (message, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		writeError(w, http.StatusRequestEntityTooLarge, nil, invalidRequest, fmt.Sprintf("the body may have %d bytes", maxBody), nil)
		return message{}, false
	case err != nil:
		writeError(w, http.StatusBadRequest, nil, invalidRequest, "the body cannot be read", nil)
		return message{}, false
	}
	m, code, problem := peek(body)
	if problem != "" {
		writeError(w, http.StatusBadRequest, m.ID, code, problem, nil)
		return message{}, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return m, true
}

// peek decodes a body by the SDK's own decoder with the SDK's own settings, and
// refuses what two readers could read differently: keys that come twice at any
// depth, broken UTF-8, and text after the message.
func peek(body []byte) (m message, code int, problem string) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case !utf8.Valid(body) || !stdjson.Valid(body):
		return m, parseError, "the body is no JSON text in UTF-8"
	case len(trimmed) > 0 && trimmed[0] == '[':
		return m, invalidRequest, "batches are not accepted; send one message at a time"
	case len(trimmed) == 0 || trimmed[0] != '{':
		return m, invalidRequest, "a message is a JSON object"
	}
	if err := checkKeys(body); err != nil {
		return m, invalidRequest, err.Error()
	}
	if _, err := json.Parse(body, &m, json.DontMatchCaseInsensitiveStructFields|json.ZeroCopy); err != nil {
		return message{}, invalidRequest, "the message has a member of the wrong type: method, params.name and params.uri are strings, and params is an object"
	}
	return m, 0, ""
}
