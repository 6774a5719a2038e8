package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// Call answers the first call of any tool that is confirmed. Tools of [AddTool] show
// what they would do by themselves, by run. Others show their name and arguments:
// run would do it.
func (o *Operations) Call(ctx context.Context, req *mcp.CallToolRequest, d gate.Decision, run func() (mcp.Result, error)) (mcp.Result, error) {
	if o.known(req.Params.Name) != nil {
		return run()
	}
	arguments, err := o.cfg.Arguments(req.Params.Name, req.Params.Arguments)
	if err != nil {
		return refused(words.Misfit(req.Params.Name, err)), nil
	}
	if o.hides(req.Params.Name, arguments, d.Confirm) {
		return refused(words.TooLongToShow(req.Params.Name)), nil
	}
	s := shown{summary: summary(req.Params.Name, arguments), data: arguments}
	return o.remember(ctx, req.Params.Name, arguments, s, d.Confirm, "preview"), nil
}

// summary is what a tool of the SDK would do, as far as anybody knows.
func summary(name string, arguments json.RawMessage) string {
	if string(arguments) == "{}" {
		return "Run " + name
	}
	text := plain(string(arguments))
	if n := utf8.RuneCountInString(text); n > maxShown {
		text = string([]rune(text)[:maxShown]) + fmt.Sprintf(" … and %d more characters", n-maxShown)
	}
	return "Run " + name + " with " + text
}

const maxShown = maxSummary - 200 // characters of arguments

// hides reports whether the summary of a tool of the SDK leaves out what its user
// would say yes to: a model could put there what they are not to see.
func (o *Operations) hides(name string, arguments json.RawMessage, need gate.Confirmation) bool {
	return need >= gate.ByClient && o.known(name) == nil && utf8.RuneCount(arguments) > maxShown
}

// plain is a tool of the SDK: it is run once, by req, because nobody knows what it
// does.
func (o *Operations) plain(req *mcp.CallToolRequest, name string) *tool {
	return &tool{name: name, class: atMostOnce, execute: func(ctx context.Context, _ store.SQL, op store.Operation) (json.RawMessage, string, error) {
		res, err := o.cfg.Run(ctx, req, name, op.Data)
		if err != nil {
			return nil, "", err
		}
		return read(res)
	}}
}

var errAsks = errors.New("it asks its user something while it runs, which a tool that is confirmed cannot")

// read is what a tool of the SDK has answered.
func read(res mcp.Result) (json.RawMessage, string, error) {
	call, ok := res.(*mcp.CallToolResult)
	switch {
	case !ok:
		return nil, "", fmt.Errorf("it answered a %T", res)
	case call.NeedsInput():
		return nil, "", errAsks
	}
	text := ""
	for _, c := range call.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			text += t.Text
		}
	}
	if call.IsError {
		if err := call.GetError(); err != nil {
			return nil, "", err
		}
		return nil, "", errors.New(text)
	}
	if call.StructuredContent == nil {
		return nil, text, nil
	}
	data, err := json.Marshal(call.StructuredContent)
	if err != nil {
		return nil, text, nil // it was done
	}
	return data, text, nil
}
