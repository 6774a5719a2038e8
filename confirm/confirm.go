// Package confirm is for tools that change things: a call shows what would be done,
// and it is done when that is confirmed; once, and just that.
//
//	confirm.AddTool(kit.Operations(), server, &mcp.Tool{Name: "book_slot", Description: "Book a free slot."},
//		calendar.Preview,                        // func(context.Context, BookIn) (confirm.Preview[Booking], error)
//		confirm.Transactional(calendar.Execute)) // func(context.Context, store.SQL, Booking) (BookOut, error)
//
// Whether, and how strongly, a call is confirmed stands in the table of rules alone
// ([gate.Rule.Confirmed]), and what is done stands in the tool alone. A tool of the
// MCP SDK whose rule says so is confirmed, too: it shows its name and its arguments.
//
//	tools/call book_slot            → status: preview, a summary, and a confirmationToken; nothing was done
//	tools/call confirm_request      → decided again, confirmed as the rule asks for, done, recorded
//	tools/call confirm_request      → the same answer again, for a day; nothing is done
//
// The token names an operation, and is no secret: it works for the grant that it was
// shown to, while that is whose it was, for five minutes.
//
// # What once means
//
// It depends on what the tool can do, and is said by the type of its [Handler]:
//
//	Transactional   what is done and that it was done are one transaction: both, or neither
//	Outbox          the same, and a delivery that goes on until it succeeds, under one key
//	Idempotent      run again under the same key until it succeeds: for what takes such a key
//	AtMostOnce      run once; where nobody can say what came of it, that is what is said
package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/store"
)

// Errors that an execute function returns, wrapped or not.
var (
	// ErrNoEffect says that nothing was done, for certain. What else is wrong is
	// told in words: fmt.Errorf("the card was declined: %w", confirm.ErrNoEffect).
	ErrNoEffect = errors.New("nothing was done")

	// ErrStale says that nothing was done, because the world is not what was shown:
	// the preview runs once more, and the caller is shown what would be done now, or
	// told why the preview refuses.
	ErrStale = fmt.Errorf("it is not what was shown any more: %w", ErrNoEffect)
)

// Config is what [Operations] are made of. Applications get theirs from their kit.
type Config struct {
	App       func() string // what people call the server
	Store     store.Store
	Questions *elicit.Questions
	Now       func() time.Time
	Log       *slog.Logger

	// Decide decides about a call that comes by another request of its caller. What
	// does not pass is answered by refusal.
	Decide func(ctx context.Context, req mcp.Request, tool string, arguments json.RawMessage) (d gate.Decision, refusal *mcp.CallToolResult)

	// Arguments are those of a call as its tool gets them, or why they do not fit.
	Arguments func(tool string, raw json.RawMessage) (json.RawMessage, error)

	// Run has a tool of the SDK answer a call that is confirmed.
	Run func(ctx context.Context, req *mcp.CallToolRequest, tool string, arguments json.RawMessage) (mcp.Result, error)

	// Terms stand for the schema and the rule of a tool.
	Terms func(tool string) string

	// Link is the page on which the user of an operation confirms it. Nil means that
	// there is none, so that what needs one is refused.
	Link func(id string) string

	// NoLimits lifts the limit of previews.
	NoLimits bool

	// Done is told of each operation that was done, and is waited for.
	Done func(ctx context.Context, o store.Operation)
}

// Operations are what the tools of one server do once it is confirmed. They are
// safe for concurrent use.
type Operations struct {
	cfg   Config
	rules operation.Rules
	busy  sync.WaitGroup // runs, which go on where their caller has left
	hands chan struct{}  // of the worker

	mu       sync.Mutex
	tools    map[string]*tool
	problems []error
}

// New returns operations without tools.
func New(cfg Config) *Operations {
	return &Operations{cfg: cfg, rules: operation.Rules{Store: cfg.Store, Now: cfg.Now, NoLimits: cfg.NoLimits}, hands: make(chan struct{}, hands), tools: map[string]*tool{}}
}

// Names of the tools that every server has whose rules ask for a confirmation. An
// application cannot use them for its own.
var Names = []string{"confirm_request", "operation_status", "cancel_request"}

// A tool is one that [AddTool] has added.
type tool struct {
	name    string
	class   class
	preview func(context.Context, json.RawMessage) (shown, error)
	execute func(context.Context, store.SQL, store.Operation) (json.RawMessage, string, error) // what to answer, as data and in words
	deliver func(context.Context, store.Operation) error
	look    func(context.Context, store.Operation) (json.RawMessage, string, bool, error)
}

// shown is a [Preview] whose data is JSON.
type shown struct {
	summary string
	data    json.RawMessage
	world   string
}

// Check returns everything that is wrong with the tools that were added: with rules,
// on a server whose tools have these output schemas.
func (o *Operations) Check(rules gate.Rules, outputs map[string]string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	problems := slices.Clone(o.problems)
	for name, t := range o.tools {
		if _, database := o.cfg.Store.(store.Database); !database && t.class.inTransaction() {
			problems = append(problems, fmt.Errorf("tool %q: its handler shares the store's transaction, which this store cannot; use confirm.Idempotent or confirm.AtMostOnce", name))
		}
		if rule, ok := rules[name]; ok && rule.Confirms() == gate.NotConfirmed {
			problems = append(problems, fmt.Errorf("tool %q: it shows what it would do, and its rule lets it run at once; add .Confirmed() to the rule", name))
		}
		switch output, there := outputs[name]; {
		case !there:
			problems = append(problems, fmt.Errorf("tool %q was added to another server, or removed", name))
		case !sameJSON(output, string(answerSchema)):
			problems = append(problems, fmt.Errorf("tool %q was added a second time, by mcp.AddTool, and would run at once; take one away", name))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// known returns the tool called name, or nil for one of the SDK's own.
func (o *Operations) known(name string) *tool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tools[name]
}

func (o *Operations) problem(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.problems = append(o.problems, fmt.Errorf(format, args...))
}

// Close waits for what is being done.
func (o *Operations) Close() { o.busy.Wait() }

// fault logs err, of which nobody is told more than that there is one.
func (o *Operations) fault(ctx context.Context, tool string, err error) {
	o.cfg.Log.ErrorContext(ctx, "fault", "tool", tool, "err", err)
}
