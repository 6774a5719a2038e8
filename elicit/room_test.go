package elicit

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A room is a small MCP server whose tools ask, on a SQLite file, over HTTP, in
// all versions of the protocol. Who calls is said by the header Test-Grant, and
// looked up for each request as the gate does. In a session the SDK's context
// outlives the HTTP request, so the room ends it with the request.
type room struct {
	t     testing.TB
	url   string
	keys  secret.Keys
	store store.Store
	log   *syncBuffer

	mu    sync.Mutex
	at    time.Time
	price int
	done  []string // effects of tools
	ids   []string // Ask.ID of each run
	ended chan error

	questions *Questions
	requests  sync.Map // context of an HTTP request, by the header Test-Request

	path   string
	way    string
	second string // URL, of the way twoStores
	turns  atomic.Int64
}

type (
	bookIn  struct{ Day string }
	bookOut struct{ Booked string }
	seat    struct {
		Seat string `json:"seat" title:"Seat" enum:"inside,garden"`
	}
	person struct {
		Name  string `json:"name" min:"1" max:"20"`
		Count int    `json:"count" min:"1" max:"8" default:"2"`
	}
	yes struct {
		Sure bool `json:"sure"`
	}
)

func newRoom(t testing.TB) *room {
	t.Helper()
	r := &room{t: t, log: &syncBuffer{}, at: time.Now(), price: 10, ended: make(chan error, 10)}
	r.path = filepath.Join(t.TempDir(), "room.db")
	r.store = r.open()
	var err error
	if r.keys, err = secret.NewKeys([]string{"a secret of the tests, and of nobody else"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"ann", "ben"} {
		r.putGrant(store.Grant{ID: id, UserID: "user-" + id, GuestID: "guest-" + id, Epoch: 3, Level: "chat", Scopes: []string{"guest", "write"},
			Expires: r.at.Add(24 * time.Hour)})
	}
	r.url, r.questions = r.serve(r.store)
	if r.way = wayOf(t); r.way == twoStores {
		r.second, _ = r.serve(r.open())
	}
	return r
}

// serve serves the tools over s, and returns where.
func (r *room) serve(s store.Store) (url string, questions *Questions) {
	server := mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, nil)
	questions = New(s, r.keys, r.now, slog.New(slog.NewTextHandler(r.log, nil)))
	r.addTools(server, questions)
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if x := req.GetExtra(); x != nil {
				ctx = gate.WithCaller(ctx, r.caller(ctx, x.Header.Get("Test-Grant")))
				if request, ok := r.requests.Load(x.Header.Get("Test-Request")); ok {
					var cancel context.CancelFunc
					ctx, cancel = context.WithCancel(ctx)
					defer cancel()
					defer context.AfterFunc(request.(context.Context), cancel)()
				}
			}
			return next(ctx, method, req)
		}
	})
	all := func(*http.Request) *mcp.Server { return server }
	sessions := mcp.NewStreamableHTTPHandler(all, nil)
	stateless := mcp.NewStreamableHTTPHandler(all, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true, PropagateRequestCancellation: true})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("MCP-Protocol-Version") >= modern || req.URL.Path == "/stateless" {
			stateless.ServeHTTP(w, req)
			return
		}
		id := rand.Text()
		r.requests.Store(id, req.Context())
		defer r.requests.Delete(id)
		req.Header.Set("Test-Request", id)
		sessions.ServeHTTP(w, req)
	}))
	r.t.Cleanup(func() {
		for s := range server.Sessions() {
			s.Close()
		}
		web.Close()
	})
	return web.URL, questions
}

func (r *room) addTools(server *mcp.Server, q *Questions) {
	book := func(ctx context.Context, ask *Ask, in bookIn) (bookOut, error) {
		r.note(&r.ids, ask.ID())
		s, err := Form[seat](ask, "seat", "Inside, or in the garden?")
		if err != nil {
			r.ended <- err
			return bookOut{}, fmt.Errorf("where: %w", err)
		}
		p, err := Form[person](ask, "person", "In whose name?")
		if err != nil {
			return bookOut{}, err
		}
		what := fmt.Sprintf("%s %s %s %d", in.Day, s.Seat, p.Name, p.Count)
		r.note(&r.done, what)
		return bookOut{what}, nil
	}
	AddTool(q, server, &mcp.Tool{Name: "book_table"}, book)
	AddTool(q, server, &mcp.Tool{Name: "book_room"}, book)
	AddTool(q, server, &mcp.Tool{Name: "pay"}, func(_ context.Context, ask *Ask, _ struct{}) (bookOut, error) {
		r.mu.Lock()
		message := fmt.Sprintf("Pay %d?", r.price)
		r.mu.Unlock()
		y, err := Form[yes](ask, "sure", message)
		if err != nil {
			return bookOut{}, err
		}
		if _, err := Form[yes](ask, "tip", "And a tip?"); err != nil {
			return bookOut{}, err
		}
		r.note(&r.done, fmt.Sprint(message, " ", y.Sure))
		return bookOut{message}, nil
	})
	AddTool(q, server, &mcp.Tool{Name: "open_page"}, func(_ context.Context, ask *Ask, _ struct{}) (any, error) {
		if err := URL(ask, "page", "See the bill.", "https://shop.example/bill?call="+ask.ID()); err != nil {
			return nil, err
		}
		r.note(&r.done, "page "+ask.ID())
		return nil, nil
	})
	AddTool(q, server, &mcp.Tool{Name: "chatter"}, func(_ context.Context, ask *Ask, in struct{ Questions int }) (any, error) {
		for i := range in.Questions {
			if _, err := Form[yes](ask, fmt.Sprint("q", i), "And now?"); err != nil {
				return nil, err
			}
		}
		r.note(&r.done, "chatter")
		return nil, nil
	})
	AddTool(q, server, &mcp.Tool{Name: "easygoing"}, func(_ context.Context, ask *Ask, _ struct{}) (any, error) {
		s, err := Form[seat](ask, "seat", "Inside, or in the garden?")
		if errors.Is(err, ErrDeclined) || errors.Is(err, ErrUnsupported) {
			s, err = seat{"anywhere"}, nil
		}
		if err != nil {
			return nil, err
		}
		if _, err := Form[yes](ask, "sure", s.Seat+"?"); err != nil && !errors.Is(err, ErrUnsupported) {
			return nil, err
		}
		r.note(&r.done, s.Seat)
		return nil, nil
	})
	AddTool(q, server, &mcp.Tool{Name: "careless"}, func(_ context.Context, ask *Ask, _ struct{}) (any, error) {
		s, _ := Form[seat](ask, "seat", "Inside, or in the garden?")
		return s, nil
	})
	AddTool(q, server, &mcp.Tool{Name: "hasty"}, func(_ context.Context, ask *Ask, _ struct{}) (any, error) {
		_, first := Form[yes](ask, "first", "First?")
		_, second := Form[yes](ask, "second", "Second?")
		return nil, errors.Join(first, second)
	})
	AddTool(q, server, &mcp.Tool{Name: "twice"}, func(_ context.Context, ask *Ask, _ struct{}) (any, error) {
		if _, err := Form[seat](ask, "seat", "Inside, or in the garden?"); err != nil {
			return nil, err
		}
		_, err := Form[seat](ask, "seat", "Really?")
		return nil, err
	})
	AddTool(q, server, &mcp.Tool{Name: "nosy"}, func(_ context.Context, ask *Ask, _ struct{}) (any, error) {
		_, err := Form[struct{ Password string }](ask, "password", "Your password?")
		return nil, err
	})
	AddTool(q, server, &mcp.Tool{Name: "quiet"}, func(context.Context, *Ask, struct{}) (any, error) {
		r.note(&r.done, "quiet")
		return nil, errors.New("closed on Mondays")
	})
}

func (r *room) note(list *[]string, s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, s)
}

func (r *room) caller(ctx context.Context, id string) (c gate.Caller) {
	if id == "" {
		return c
	}
	err := r.store.View(ctx, func(tx store.Tx) error {
		gr, err := tx.Grant(ctx, id)
		c = gate.Caller{GrantID: gr.ID, GuestID: gr.GuestID, UserID: gr.UserID, Level: gr.Level, Scopes: gr.Scopes}
		return err
	})
	if err != nil {
		r.t.Errorf("grant %s: %v", id, err)
	}
	return c
}

func (r *room) putGrant(gr store.Grant) {
	r.t.Helper()
	ctx := context.Background()
	if err := r.store.Update(ctx, func(tx store.Tx) error { return tx.PutGrant(ctx, gr) }); err != nil {
		r.t.Fatal(err)
	}
}

// change changes a grant, as a claim, a sign-out or a revocation does.
func (r *room) change(id string, f func(*store.Grant)) {
	r.t.Helper()
	ctx := context.Background()
	err := r.store.Update(ctx, func(tx store.Tx) error {
		gr, err := tx.Grant(ctx, id)
		if err != nil {
			return err
		}
		f(&gr)
		return tx.PutGrant(ctx, gr)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// changes of ann's grant after which an answer of hers does not count any more.
var changes = []struct {
	name   string
	change func(*store.Grant)
}{
	{"the grant was revoked", func(gr *store.Grant) { gr.RevokedAt = gr.Expires.Add(-time.Hour) }},
	{"the grant has expired", func(gr *store.Grant) { gr.Expires = time.Now().Add(-time.Hour) }},
	{"the user has signed out", func(gr *store.Grant) { gr.UserID, gr.GuestID, gr.Epoch = "", "guest-new", 4 }},
	{"another user has signed in", func(gr *store.Grant) { gr.UserID, gr.Epoch = "user-eve", 5 }},
	{"the user is another, whatever else is the same", func(gr *store.Grant) { gr.UserID = "user-eve" }},
	{"the guest is another, whatever else is the same", func(gr *store.Grant) { gr.GuestID = "guest-eve" }},
	{"the same user has signed out and in", func(gr *store.Grant) { gr.Epoch = 5 }},
}

func (r *room) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *room) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

func (r *room) effects() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.Clone(r.done), "; ")
}

// A syncBuffer takes the log of many goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
