package mcpgate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	segmentio "github.com/segmentio/encoding/json"
)

const cacheControl = "no-store, private" // who asks decides what the answer is

const (
	writeTimeout = 30 * time.Second // for one write of an answer; the handler may take its time
	keepAlive    = 25 * time.Second // between signs of life on a stream, for the proxies on its way
)

// An answer is one of the SDK's, put right on its way out. The SDK says no-cache
// on its own, which lets a cache keep what one caller may see. It refuses some
// requests in plain text, where a client of the protocol reads JSON alone. In a
// session it answers in streams, also where there is one answer and no more. And
// it lets a stream on which nothing happens fall silent, which proxies end.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	id      json.RawMessage // of the request, where it has one
	flushed func()          // called once, when the answer has begun to go out; may be nil

	filling atomic.Pointer[filling] // of the list that is the answer; nil for others

	mu     sync.Mutex  // of a stream, which is written and kept alive at the same time
	status int         // 0 until it has begun
	plain  bool        // what the SDK writes is the text of a refusal
	single bool        // it is one response, and no stream
	alive  *time.Timer // of a stream
	queue  *queue      // of a stream that news come to; nil for others
	over   bool
}

func newAnswer(w http.ResponseWriter, id json.RawMessage, flushed func()) *answer {
	return &answer{ResponseWriter: w, control: http.NewResponseController(w), id: id, flushed: flushed}
}

// end says that the request is over, after which nothing may be written.
func (a *answer) end() {
	a.mu.Lock()
	a.over = true
	q := a.queue
	begun := a.alive != nil
	if begun {
		a.alive.Stop()
	}
	a.mu.Unlock()
	if q != nil && begun {
		a.finish(q)
	}
}

func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin(status)
}

func (a *answer) begin(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	a.Header().Set("Cache-Control", cacheControl+", no-transform")
	content := a.Header().Get("Content-Type")
	if a.plain = status >= 400 && strings.HasPrefix(content, "text/plain"); a.plain {
		a.queue = nil
		a.Header().Del("Content-Length")
		return // with the text, which http.Error writes next, and at once
	}
	if content != "text/event-stream" {
		a.queue = nil
		a.ResponseWriter.WriteHeader(status)
		return
	}
	a.Header().Set("X-Accel-Buffering", "no") // MCP 2026-07-28, transports
	a.alive = time.AfterFunc(keepAlive, a.keepAlive)
	a.ResponseWriter.WriteHeader(status)
	if a.queue != nil {
		go a.deliver(a.queue)
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(p)
	if f := a.filling.Load(); f != nil && !a.plain {
		p = f.into(p)
	}
	if response, ok := a.whole(p); ok {
		a.single = true
		a.Header().Set("Content-Type", "application/json")
		a.Header().Del("Connection")
		a.begin(http.StatusOK)
		a.hurry()
		_, err := a.ResponseWriter.Write(response)
		return n, err
	}
	a.begin(http.StatusOK)
	if a.queue != nil {
		if a.over {
			return 0, errFallenBehind
		}
		return n, a.queue.add(p)
	}
	a.hurry()
	if !a.plain {
		_, err := a.ResponseWriter.Write(p)
		return n, err
	}
	code, text := invalidRequest, strings.TrimSpace(string(p))
	if a.status >= 500 {
		code, text = a.status, "the server failed; try again in a moment"
	}
	writeError(a.ResponseWriter, a.status, a.id, code, text, nil)
	return len(p), nil
}

// whole returns the response in event, where that is the answer to the request,
// and nothing came before it: then there is no need for a stream.
func (a *answer) whole(event []byte) (response []byte, ok bool) {
	if a.status != 0 || len(a.id) == 0 || a.Header().Get("Content-Type") != "text/event-stream" {
		return nil, false
	}
	_, data, ok := bytes.Cut(event, []byte("data: "))
	if !ok || !a.answers(data) {
		return nil, false
	}
	return bytes.TrimRight(data, "\n"), true
}

// answers reports whether the message in text is a response. The SDK writes its
// members in one order, and an odd ID in a way of its own.
func (a *answer) answers(text []byte) bool {
	if rest, ok := bytes.CutPrefix(text, []byte(`{"jsonrpc":"2.0","id":`)); ok {
		if rest, ok = bytes.CutPrefix(rest, a.id); ok && (bytes.HasPrefix(rest, []byte(`,"result":`)) || bytes.HasPrefix(rest, []byte(`,"error":`))) {
			return true
		}
	}
	var m message
	_, err := segmentio.Parse(text, &m, settings)
	return err == nil && m.Method == ""
}

// hurry gives the client a moment to take the next bytes.
func (a *answer) hurry() {
	_ = a.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer without deadlines needs none
}

// FlushError is for [http.ResponseController].
func (a *answer) FlushError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || a.single { // what is complete goes out at the end, with its length
		return nil
	}
	if a.flushed != nil {
		defer a.flushed()
		a.flushed = nil
	}
	if a.queue != nil {
		return nil
	}
	return a.control.Flush()
}

// keepAlive writes a comment, which clients skip. That it fails ends the
// request: the server cancels its context.
func (a *answer) keepAlive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return
	}
	if a.queue != nil {
		if a.queue.add([]byte(":\n\n")) == nil {
			a.alive.Reset(keepAlive)
		}
		return
	}
	a.hurry()
	if _, err := a.ResponseWriter.Write([]byte(":\n\n")); err == nil && a.control.Flush() == nil {
		a.alive.Reset(keepAlive)
	}
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
