package journal

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// read reads a resource as caller.
func (b *bench) read(t *testing.T, caller gate.Caller, uri string) (string, error) {
	t.Helper()
	b.caller.Store(&caller)
	res, err := b.client.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
	if err != nil {
		return "", err
	}
	return res.Contents[0].MIMEType + " " + res.Contents[0].Text, nil
}

func TestResourcesAreTheOwnersOwn(t *testing.T) {
	b := newBench(t)
	made := ok[entry](t, b, ada, "create_entry", draft{Title: "Rain", Content: "All day."})
	if text, err := b.read(t, nobody, "journal://credits"); err != nil || !strings.HasPrefix(text, "text/markdown # Journal") {
		t.Errorf("credits: %q, %v", text, err)
	}
	for _, uri := range []string{entriesURI, entryPrefix + made.ID} {
		if text, err := b.read(t, ada, uri); err != nil || !strings.HasPrefix(text, "application/json {") || !strings.Contains(text, made.ID) {
			t.Errorf("%s for its owner: %q, %v", uri, text, err)
		}
		if text, err := b.read(t, bert, uri); strings.Contains(text, made.ID) {
			t.Errorf("%s for another: %q, %v", uri, text, err)
		}
		if _, err := b.read(t, nobody, uri); err == nil || !strings.Contains(err.Error(), "no owner") {
			t.Errorf("%s for nobody: %v", uri, err)
		}
	}
	_, theirs := b.read(t, bert, entryPrefix+made.ID)
	_, none := b.read(t, bert, entryPrefix+"nothing")
	if theirs == nil || none == nil || code(theirs) != code(none) || code(none) != jsonrpc.CodeInvalidParams {
		t.Errorf("another's entry: %v; none: %v", theirs, none)
	}
}

func code(err error) int64 {
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		return wire.Code
	}
	return 0
}

func TestCompletionKnowsTheOwnersIds(t *testing.T) {
	b := newBench(t)
	made := ok[entry](t, b, guest, "create_entry", draft{Title: "Rain", Content: "All day."})
	for _, test := range []struct {
		name   string
		caller gate.Caller
		ref    mcp.CompleteReference
		arg    mcp.CompleteParamsArgument
		want   []string
	}{
		{"the beginning of an own id", guest, mcp.CompleteReference{Type: "ref/resource", URI: entryURI}, mcp.CompleteParamsArgument{Name: "id", Value: made.ID[:3]}, []string{made.ID}},
		{"another beginning", guest, mcp.CompleteReference{Type: "ref/resource", URI: entryURI}, mcp.CompleteParamsArgument{Name: "id", Value: "%"}, nil},
		{"the id of another", ada, mcp.CompleteReference{Type: "ref/resource", URI: entryURI}, mcp.CompleteParamsArgument{Name: "id", Value: made.ID}, nil},
		{"a period", ada, mcp.CompleteReference{Type: "ref/prompt", Name: "reflect"}, mcp.CompleteParamsArgument{Name: "period", Value: "w"}, []string{"week"}},
		{"anything else", ada, mcp.CompleteReference{Type: "ref/prompt", Name: "first_entry"}, mcp.CompleteParamsArgument{Name: "x"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.caller.Store(&test.caller)
			res, err := b.client.Complete(t.Context(), &mcp.CompleteParams{Ref: &test.ref, Argument: test.arg})
			if err != nil || !slices.Equal(res.Completion.Values, test.want) || res.Completion.Values == nil {
				t.Errorf("%+v, %v; want %v", res, err, test.want)
			}
		})
	}
}

func TestPromptsHelpToBeginAndToLookBack(t *testing.T) {
	b := newBench(t)
	get := func(caller gate.Caller, name string, arguments map[string]string) (string, error) {
		b.caller.Store(&caller)
		res, err := b.client.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: name, Arguments: arguments})
		if err != nil {
			return "", err
		}
		return res.Messages[0].Content.(*mcp.TextContent).Text, nil
	}
	if text, err := get(nobody, "first_entry", nil); err != nil || !strings.Contains(text, "writing_prompt") {
		t.Errorf("first_entry: %q, %v", text, err)
	}
	made := ok[entry](t, b, ada, "create_entry", draft{Title: "Rain", Content: "All\n\nday.", Mood: "calm"})
	text, err := get(ada, "reflect", nil)
	if err != nil || !strings.Contains(text, "- 2026-05-20, id "+made.ID+", mood calm: Rain. All day.\n") {
		t.Errorf("reflect: %q, %v", text, err)
	}
	for name, caller := range map[string]gate.Caller{"2026-04": ada, "week": bert} {
		if text, err := get(caller, "reflect", map[string]string{"period": name}); err != nil || !strings.Contains(text, "no entries") {
			t.Errorf("reflect on %s: %q, %v", name, text, err)
		}
	}
	if _, err := get(ada, "reflect", map[string]string{"period": "always"}); code(err) != jsonrpc.CodeInvalidParams {
		t.Errorf("an unknown period: %v", err)
	}
	if _, err := get(nobody, "reflect", nil); code(err) != jsonrpc.CodeInvalidParams {
		t.Errorf("reflect for nobody: %v", err)
	}
}

func TestAPeriodIsASpanOfDays(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("", 2*60*60)) // 28 February in UTC
	for name, want := range map[string]days{
		"": {"2026-02-22", "2026-02-28"}, "today": {"2026-02-28", "2026-02-28"}, " Week ": {"2026-02-22", "2026-02-28"},
		"month": {"2026-01-29", "2026-02-28"}, "year": {"2025-03-01", "2026-02-28"},
		"2024-02": {"2024-02-01", "2024-02-29"}, "2024": {"2024-01-01", "2024-12-31"},
	} {
		if got, err := period(name, now); err != nil || got != want {
			t.Errorf("period %q is %v, %v; want %v", name, got, err, want)
		}
	}
}
