package mcpgate_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A stream is an open subscriptions/listen, event by event.
type stream struct {
	header http.Header
	lines  *bufio.Scanner
}

func (r *room) listen(t testing.TB, ctx context.Context, token, params string) stream {
	t.Helper()
	return r.listenAt(t, ctx, "/mcp", token, params)
}

func (r *room) listenAt(t testing.TB, ctx context.Context, path, token, params string) stream {
	t.Helper()
	res, err := http.DefaultClient.Do(r.request(t, path, modern, token, "subscriptions/listen", params).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	return stream{res.Header, bufio.NewScanner(res.Body)}
}

type event struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		URI           string         `json:"uri"`
		Meta          map[string]any `json:"_meta"`
		Notifications struct {
			Tools bool     `json:"toolsListChanged"`
			URIs  []string `json:"resourceSubscriptions"`
		} `json:"notifications"`
	} `json:"params"`
	Result map[string]any `json:"result"`
}

// next waits for the next event; ok is false at the end.
func (s stream) next(t testing.TB) (e event, ok bool) {
	t.Helper()
	for s.lines.Scan() {
		if data, found := strings.CutPrefix(s.lines.Text(), "data: "); found {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatal(err)
			}
			return e, true
		}
	}
	return e, false
}

// What a caller may not read is missing from the acknowledgement, and news
// about it never comes; hidden, locked and made-up URIs look alike.
func TestAStreamBringsOnlyWhatItsCallerMayRead(t *testing.T) {
	r := newRoom(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := r.listen(t, ctx, r.guest(), `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":
		["room://signed_in","room://anyone","room://hidden","room://nobody","room://anyone/7","room://anyone/vault","room://default"]}}`)
	ack, ok := s.next(t)
	if want := []string{"room://anyone", "room://anyone/7"}; !ok || ack.Method != "notifications/subscriptions/acknowledged" || !ack.Params.Notifications.Tools ||
		!slices.Equal(ack.Params.Notifications.URIs, want) {
		t.Fatalf("acknowledged: %+v", ack)
	}
	for _, uri := range []string{"room://signed_in", "room://hidden", "room://anyone/vault", "room://anyone"} {
		if err := r.server.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: uri}); err != nil {
			t.Fatal(err)
		}
	}
	if e, ok := s.next(t); !ok || e.Params.URI != "room://anyone" {
		t.Errorf("the first news is %+v", e)
	}
}

// A stream ends when the token that opened it does.
func TestAStreamEndsWithItsToken(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	r.wait(time.Hour - time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	began := time.Now()
	s := r.listen(t, ctx, token, `{"notifications":{"resourceSubscriptions":["room://anyone"]}}`)
	if ack, ok := s.next(t); !ok || len(ack.Params.Notifications.URIs) != 1 {
		t.Fatalf("acknowledged: %+v", ack)
	}
	e, ok := s.next(t)
	if took := time.Since(began); !ok || e.Result["resultType"] != "complete" || took < 900*time.Millisecond {
		t.Errorf("after %v: %+v", took, e)
	}
	if _, more := s.next(t); more || ctx.Err() != nil {
		t.Errorf("the stream goes on, or ended by the test's own deadline: %v", ctx.Err())
	}
}

// A stream of what needs no token, asked for without params, is none.
func TestAStreamNeedsParams(t *testing.T) {
	r := newRoom(t)
	for _, params := range []string{`{}`, `{"notifications":null}`} {
		if a := r.ask(t, modern, r.guest(), "subscriptions/listen", params); a.status == http.StatusOK && a.rpc.Error == nil && !strings.Contains(a.body, `"error"`) {
			t.Errorf("%s: %d %s", params, a.status, a.body)
		}
	}
}

// Two streams of one server know nothing of each other, and a client that
// leaves takes nothing along.
func TestAStreamThatIsLeftDisturbsNobody(t *testing.T) {
	r := newRoom(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	leaving, leave := context.WithCancel(ctx)
	first := r.listen(t, leaving, r.guest(), `{"notifications":{"resourceSubscriptions":["room://anyone"]}}`)
	second := r.listen(t, ctx, r.user(), `{"notifications":{"resourceSubscriptions":["room://anyone","room://signed_in"]}}`)
	for _, s := range []stream{first, second} {
		if _, ok := s.next(t); !ok {
			t.Fatal("no acknowledgement")
		}
	}
	leave()
	if _, more := first.next(t); more {
		t.Error("the left stream goes on")
	}
	if err := r.server.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: "room://signed_in"}); err != nil {
		t.Fatal(err)
	}
	if e, ok := second.next(t); !ok || e.Params.URI != "room://signed_in" {
		t.Errorf("the other one brings %+v", e)
	}
}
