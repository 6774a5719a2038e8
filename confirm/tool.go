package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// A Preview is what a call would do.
type Preview[D any] struct {
	// Summary says it to the user, in a sentence without a full stop: "Book Monday
	// 10:00 with Dr. Ames". 1 to 2000 characters. It is what they say yes to.
	Summary string

	// Data is what the handler gets. It becomes JSON of at most 256 KiB, and is
	// remembered for a day.
	Data D

	// World is a version of what the preview has looked at, such as an ETag; empty
	// where nothing can change. Before anything is done the preview runs once more,
	// and where World is another by then, or the preview refuses, the caller is told
	// that instead.
	World string
}

const (
	maxSummary = 2000      // characters
	maxData    = 256 << 10 // bytes of arguments, and of data
)

// AddTool adds a tool to server that shows what it would do, by preview, and does it
// by handler when that is confirmed. The rule of the tool says how strongly
// ([gate.Rule.ConfirmedBy]).
//
// preview changes nothing, and gets the caller by [gate.CallerFrom]. Its errors, and
// the handler's, are told to the model in their own words. A handler's answer is told
// as JSON, or where Out has a method String, in its words, too.
//
// In is a struct or a map, as for [mcp.AddTool]. tool has no output schema: what is
// answered first is a preview, of which a grant gets 200 in ten minutes. What is wrong is told by the kit's Handler.
func AddTool[In, D, Out any](o *Operations, server *mcp.Server, t *mcp.Tool, preview func(context.Context, In) (Preview[D], error), h Handler[D, Out]) {
	if err := fits[In](t, h.class); err != nil {
		o.problem("tool %q: %w", t.Name, err)
		return
	}
	if there, err := has(server, t.Name); there || err != nil {
		o.problem("tool %q is there already, and would be replaced: %w", t.Name, errors.Join(err, errTwice))
		return
	}
	known := &tool{name: t.Name, class: h.class, preview: previewing(preview), execute: executing(h), deliver: delivering(h), look: looking(h)}
	o.mu.Lock()
	o.tools[t.Name] = known
	o.mu.Unlock()
	listed := *t
	listed.OutputSchema = answerSchema
	if listed.Annotations == nil {
		listed.Annotations = &mcp.ToolAnnotations{}
	}
	mcp.AddTool(server, &listed, func(ctx context.Context, req *mcp.CallToolRequest, _ In) (*mcp.CallToolResult, any, error) {
		return o.first(ctx, req, known), nil, nil
	})
}

var errTwice = errors.New("take one away")

// has reports whether server has a tool called name. The SDK replaces it by another
// of that name without a word.
func has(server *mcp.Server, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	near, far := mcp.NewInMemoryTransports()
	there, err := server.Connect(ctx, far, nil)
	if err != nil {
		return false, err
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "foyer", Version: "1"}, nil).Connect(ctx, near, nil)
	if err != nil {
		return false, err
	}
	defer func() {
		session.Close()
		there.Wait() // else the tool that is added next would be news to this session
	}()
	if session.InitializeResult().Capabilities.Tools == nil {
		return false, nil
	}
	for t, err := range session.Tools(ctx, nil) {
		if err != nil || t.Name == name {
			return err == nil, err
		}
	}
	return false, nil
}

// fits returns why a tool cannot be added.
func fits[In any](t *mcp.Tool, c class) error {
	if c == 0 {
		return errors.New("its handler is empty; make one with confirm.Transactional, Outbox, Idempotent or AtMostOnce")
	}
	if t.OutputSchema != nil {
		return errors.New("it has an output schema, and answers a preview first; leave it out")
	}
	if t.InputSchema != nil {
		text, err := json.Marshal(t.InputSchema)
		var schema struct{ Type string }
		if err != nil || json.Unmarshal(text, &schema) != nil || schema.Type != "object" {
			return errors.New("its input schema is not that of an object")
		}
		return nil
	}
	schema, err := jsonschema.For[In](nil)
	if err != nil {
		return fmt.Errorf("no schema of its input: %w", err)
	}
	if schema.Type != "object" {
		return fmt.Errorf("its input is a %T, and must be a struct or a map", *new(In))
	}
	return nil
}

func previewing[In, D any](preview func(context.Context, In) (Preview[D], error)) func(context.Context, json.RawMessage) (shown, error) {
	return func(ctx context.Context, arguments json.RawMessage) (s shown, err error) {
		var in In
		if err := json.Unmarshal(arguments, &in); err != nil {
			return shown{}, fmt.Errorf("the arguments do not fit: %w", err)
		}
		p, err := preview(ctx, in)
		if err != nil {
			return shown{}, err
		}
		data, err := json.Marshal(p.Data)
		if err != nil {
			return shown{}, fault{fmt.Errorf("the data of the preview is no JSON: %w", err)}
		}
		if len(data) > maxData {
			return shown{}, fault{fmt.Errorf("the data of the preview has %d bytes, and may have %d", len(data), maxData)}
		}
		if n := utf8.RuneCountInString(p.Summary); n == 0 || n > maxSummary {
			return shown{}, fault{fmt.Errorf("the summary has %d characters, and must have 1 to %d", n, maxSummary)}
		}
		return shown{plain(p.Summary), data, p.World}, nil
	}
}

// plain is text without what would change how other text is read: control
// characters, and those that turn its direction.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, text)
}

func executing[D, O any](h Handler[D, O]) func(context.Context, store.SQL, store.Operation) (json.RawMessage, string, error) {
	return func(ctx context.Context, sql store.SQL, op store.Operation) (json.RawMessage, string, error) {
		data, err := dataOf[D](op)
		if err != nil {
			return nil, "", err
		}
		out, err := h.execute(ctx, sql, op.ID, data)
		if err != nil {
			return nil, "", err
		}
		result, text := answered(out)
		return result, text, nil
	}
}

func delivering[D, O any](h Handler[D, O]) func(context.Context, store.Operation) error {
	return func(ctx context.Context, op store.Operation) error {
		data, err := dataOf[D](op)
		if err != nil {
			return err
		}
		return h.deliver(ctx, op.ID, data)
	}
}

func looking[D, O any](h Handler[D, O]) func(context.Context, store.Operation) (json.RawMessage, string, bool, error) {
	if h.look == nil {
		return nil
	}
	return func(ctx context.Context, op store.Operation) (json.RawMessage, string, bool, error) {
		data, err := dataOf[D](op)
		if err != nil {
			return nil, "", false, err
		}
		out, done, err := h.look(ctx, op.ID, data)
		if err != nil || !done {
			return nil, "", false, err
		}
		result, text := answered(out)
		return result, text, true, nil
	}
}

func dataOf[D any](op store.Operation) (data D, err error) {
	if err := json.Unmarshal(op.Data, &data); err != nil {
		return data, fmt.Errorf("its data does not fit any more: %w", errors.Join(err, ErrNoEffect))
	}
	return data, nil
}

// answered is what a handler has returned, as JSON and in words. What was done was
// done, also where that cannot be told: an answer that is no JSON, or that breaks
// down, is left out.
func answered(out any) (result json.RawMessage, text string) {
	failed := recovering(func() (err error) {
		result, err = json.Marshal(out)
		return err
	})
	if failed != nil || string(result) == "null" || string(result) == "{}" {
		result = nil
	}
	s, ok := out.(fmt.Stringer)
	if !ok {
		return result, string(result)
	}
	_ = recovering(func() error { text = s.String(); return nil })
	return result, text
}

// first answers the first call of a tool: with what it would do.
func (o *Operations) first(ctx context.Context, req *mcp.CallToolRequest, t *tool) *mcp.CallToolResult {
	d, refusal := o.cfg.Decide(ctx, req, t.name, req.Params.Arguments)
	switch {
	case refusal != nil:
		return refusal
	case d.Confirm == gate.NotConfirmed: // cannot happen: the rules were checked
		return refused(words.ConfirmFault)
	}
	arguments, err := o.cfg.Arguments(t.name, req.Params.Arguments)
	if err != nil {
		return refused(words.Misfit(t.name, err))
	}
	s, err := t.show(ctx, arguments)
	if err != nil {
		return o.told(ctx, t.name, err)
	}
	return o.remember(ctx, t.name, arguments, s, d.Confirm, "preview")
}

// show runs the preview, of which a panic is a fault.
func (t *tool) show(ctx context.Context, arguments json.RawMessage) (s shown, err error) {
	err = recovering(func() (err error) {
		s, err = t.preview(ctx, arguments)
		return err
	})
	return s, err
}

// remember makes an operation of what is shown, and shows it.
func (o *Operations) remember(ctx context.Context, tool string, arguments json.RawMessage, s shown, need gate.Confirmation, status string) *mcp.CallToolResult {
	if len(arguments) > maxData {
		return refused(words.TooMuch(tool))
	}
	c := gate.CallerFrom(ctx)
	if need >= gate.ByPage && !c.SignedIn() { // by a policy: a rule could not say so
		return refused(words.GuestsHaveNoPage(tool))
	}
	op, err := o.rules.Preview(ctx, operation.Draft{Who: operation.WhoIs(c), Tool: tool, Terms: o.cfg.Terms(tool), Arguments: arguments, Summary: s.summary, Data: s.data, World: s.world})
	if err != nil {
		return o.told(ctx, tool, err)
	}
	return o.show(op, c, need, status)
}
