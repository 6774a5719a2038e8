package mcpgate

import (
	"net/http/httptest"
	"testing"
)

// What a stream is to send goes out in order, and before the end of its
// request, whether it had begun before there was a queue or not.
func TestAQueueIsEmptyAtTheEnd(t *testing.T) {
	for name, early := range map[string]string{"a stream that begins": "", "one that has begun": "data: 0\n\n"} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", "text/event-stream")
			a := newAnswer(w, nil, nil)
			if early != "" {
				if _, err := a.Write([]byte(early)); err != nil {
					t.Fatal(err)
				}
			}
			a.later(func() { t.Error("the request was cancelled") })
			for _, event := range []string{"data: 1\n\n", "data: 2\n\n"} {
				if _, err := a.Write([]byte(event)); err != nil {
					t.Fatal(err)
				}
			}
			a.end()
			if got, want := w.Body.String(), early+"data: 1\n\ndata: 2\n\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if _, err := a.Write([]byte("data: 3\n\n")); err == nil {
				t.Error("something was written after the end")
			}
		})
	}
}

// An answer that turns out to be no stream has no queue.
func TestARefusalHasNoQueue(t *testing.T) {
	w := httptest.NewRecorder()
	a := newAnswer(w, nil, nil)
	a.later(func() { t.Error("the request was cancelled") })
	w.Header().Set("Content-Type", "application/json")
	a.WriteHeader(404)
	if _, err := a.Write([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	a.end()
	if w.Code != 404 || w.Body.String() != "{}" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
