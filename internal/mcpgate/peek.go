package mcpgate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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
		Meta struct {
			Version stdjson.RawMessage `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
		Name      string             `json:"name"`
		URI       string             `json:"uri"`
		Arguments stdjson.RawMessage `json:"arguments"`
		Ref       struct {
			Type string `json:"type"`
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"ref"`
	} `json:"params"`
}

// called reports whether m wants an answer.
func (m message) called() bool { return m.Method != "" && len(m.ID) > 0 && string(m.ID) != "null" }

// A body is what one request brings: a message, or a batch of them, which only
// 2025-03-26 knows.
type body struct {
	messages []message
	batch    bool
}

// id is that of the request which an answer to the whole body answers.
func (b body) id() stdjson.RawMessage {
	if b.batch || len(b.messages) == 0 {
		return nil
	}
	return b.messages[0].ID
}

// modern reports whether a message says that its version is 2026-07-28, or
// another one whose messages say so.
func (b body) modern() bool {
	return slices.ContainsFunc(b.messages, func(m message) bool { return len(m.Params.Meta.Version) > 0 })
}

// calls reports whether a message calls method.
func (b body) calls(method string) bool {
	return slices.ContainsFunc(b.messages, func(m message) bool { return m.Method == method })
}

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

// read reads the body of r, and puts the same bytes back for the SDK.
func read(w http.ResponseWriter, r *http.Request) (body, *problem) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return body{}, &problem{http.StatusRequestEntityTooLarge, invalidRequest, fmt.Sprintf("the body may have %d bytes", maxBody)}
	case err != nil:
		return body{}, &problem{http.StatusBadRequest, invalidRequest, "the body cannot be read"}
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return peek(text)
}

const settings = json.DontMatchCaseInsensitiveStructFields | json.ZeroCopy // the first is the SDK's, too

// maxBatch is how many messages a batch may have.
const maxBatch = 100

// peek decodes a body by the SDK's own decoder with the SDK's own settings, and
// refuses what two readers could read differently: keys that come twice at any
// depth, broken UTF-8, and text after the message. Of a message that it refuses
// it returns the ID at most.
func peek(text []byte) (body, *problem) {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	switch {
	case !utf8.Valid(text) || !stdjson.Valid(text):
		return body{}, malformed(parseError, "the body is no JSON text in UTF-8")
	case len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[':
		return body{}, malformed(invalidRequest, "a message is a JSON object")
	}
	if err := checkKeys(text); err != nil {
		return body{}, malformed(invalidRequest, err.Error())
	}
	if trimmed[0] == '[' {
		return peekBatch(text)
	}
	m, bad := peekMessage(text)
	return body{messages: []message{m}}, bad
}

func malformed(code int, text string) *problem { return &problem{http.StatusBadRequest, code, text} }

func peekMessage(text []byte) (m message, bad *problem) {
	if _, err := json.Parse(text, &m, settings); err != nil {
		var told struct {
			ID stdjson.RawMessage `json:"id"`
		}
		_, _ = json.Parse(text, &told, settings) // any JSON text fits
		return message{ID: told.ID}, malformed(invalidRequest, "the message has a member of the wrong type: method, params.name and params.uri are strings, and params is an object")
	}
	if m.JSONRPC != "2.0" {
		return message{ID: m.ID}, malformed(invalidRequest, "jsonrpc must be \"2.0\"")
	}
	return m, nil
}

// peekBatch refuses the whole for one bad message, as the gate does for one that
// is not allowed. (MCP 2025-03-26, basic, "Batching"; initialize is in none.)
func peekBatch(text []byte) (body, *problem) {
	var parts []stdjson.RawMessage
	if _, err := json.Parse(text, &parts, settings); err != nil || len(parts) == 0 || len(parts) > maxBatch {
		return body{}, malformed(invalidRequest, fmt.Sprintf("a batch has from 1 to %d messages", maxBatch))
	}
	b := body{batch: true}
	ids := map[string]bool{}
	for _, part := range parts {
		m, bad := peekMessage(part)
		switch {
		case bad != nil:
			return body{}, bad
		case m.called() && ids[string(m.ID)]:
			return body{}, malformed(invalidRequest, "two calls of a batch have the same id")
		case m.Method == "initialize", m.Method == "subscriptions/listen":
			return body{}, malformed(invalidRequest, m.Method+" cannot be in a batch")
		}
		ids[string(m.ID)] = true
		b.messages = append(b.messages, m)
	}
	return b, nil
}
