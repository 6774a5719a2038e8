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
	JSONRPC string             `json:"jsonrpc"`
	ID      stdjson.RawMessage `json:"id"`
	Method  string             `json:"method"`
	Params  struct {
		Name string `json:"name"`
		URI  string `json:"uri"`
		Ref  struct {
			Type string `json:"type"`
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"ref"`
	} `json:"params"`
}

// called reports whether m wants an answer.
func (m message) called() bool { return m.Method != "" && len(m.ID) > 0 && string(m.ID) != "null" }

// JSON-RPC error codes (JSON-RPC 2.0 section 5.1).
const (
	parseError     = -32700
	invalidRequest = -32600
	methodNotFound = -32601
	invalidParams  = -32602
)

// A problem says why a body is none that the SDK would read in one way only.
type problem struct {
	status int // of HTTP
	code   int // of JSON-RPC
	text   string
}

// read reads the message in the body of r, and puts the same bytes back for the
// SDK.
func read(w http.ResponseWriter, r *http.Request) (message, *problem) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return message{}, &problem{http.StatusRequestEntityTooLarge, invalidRequest, fmt.Sprintf("the body may have %d bytes", maxBody)}
	case err != nil:
		return message{}, &problem{http.StatusBadRequest, invalidRequest, "the body cannot be read"}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return peek(body)
}

const settings = json.DontMatchCaseInsensitiveStructFields | json.ZeroCopy // the first is the SDK's, too

// peek decodes a body by the SDK's own decoder with the SDK's own settings, and
// refuses what two readers could read differently: keys that come twice at any
// depth, broken UTF-8, and text after the message. Of a message that it refuses
// it returns the ID at most.
func peek(body []byte) (m message, bad *problem) {
	refuse := func(code int, text string) (message, *problem) {
		return message{ID: m.ID}, &problem{http.StatusBadRequest, code, text}
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case !utf8.Valid(body) || !stdjson.Valid(body):
		return refuse(parseError, "the body is no JSON text in UTF-8")
	case len(trimmed) > 0 && trimmed[0] == '[':
		return refuse(invalidRequest, "batches are not accepted; send one message at a time")
	case len(trimmed) == 0 || trimmed[0] != '{':
		return refuse(invalidRequest, "a message is a JSON object")
	}
	if err := checkKeys(body); err != nil {
		return refuse(invalidRequest, err.Error())
	}
	if _, err := json.Parse(body, &m, settings); err != nil {
		var told struct {
			ID stdjson.RawMessage `json:"id"`
		}
		_, _ = json.Parse(body, &told, settings) // any JSON text fits
		m.ID = told.ID
		return refuse(invalidRequest, "the message has a member of the wrong type: method, params.name and params.uri are strings, and params is an object")
	}
	if m.JSONRPC != "2.0" {
		return refuse(invalidRequest, "jsonrpc must be \"2.0\"")
	}
	return m, nil
}
