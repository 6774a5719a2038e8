package journal

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestADeletionNamesItsEffect(t *testing.T) {
	b := newBench(t)
	sea := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "sea"})
	light := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "light"})
	both := ok[entry](t, b, ada, "create_entry", tagged{draft{Title: "The lighthouse", Content: "x"}, []string{sea.ID, light.ID}})
	one := ok[entry](t, b, ada, "create_entry", tagged{draft{Title: "Rain", Content: "x"}, []string{sea.ID}})
	for _, test := range []struct {
		tool     string
		argument any
		want     string
	}{
		{"delete_tag", tagID{sea.ID}, "Delete the tag “sea”? 2 entries lose it, and it cannot be brought back."},
		{"delete_tag", tagID{light.ID}, "Delete the tag “light”? 1 entry loses it, and it cannot be brought back."},
		{"delete_entry", entryID{both.ID}, "Delete “The lighthouse”? It has 2 tags and cannot be brought back."},
		{"delete_entry", entryID{one.ID}, "Delete “Rain”? It has 1 tag and cannot be brought back."},
	} {
		b.answer, b.asked = no, nil
		b.fails(t, ada, test.tool, test.argument, "the user declined")
		if len(b.asked) != 1 || b.asked[0] != test.want {
			t.Errorf("%s asks %q, want %q", test.tool, b.asked, test.want)
		}
	}
	b.answer = yes
	ok[deleted](t, b, ada, "delete_entry", entryID{both.ID})
	ok[deleted](t, b, ada, "delete_entry", entryID{one.ID})
	b.asked = nil
	ok[deletedTag](t, b, ada, "delete_tag", tagID{sea.ID})
	if want := "Delete the tag “sea”? No entry has it, and it cannot be brought back."; b.asked[0] != want {
		t.Errorf("delete_tag asks %q, want %q", b.asked[0], want)
	}
	plain := ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Sun", Content: "x"}})
	b.asked = nil
	b.fails(t, bert, "delete_entry", entryID{plain.ID}, "Call list_entries")
	if len(b.asked) != 0 {
		t.Errorf("about another's entry, %q is asked", b.asked)
	}
}

// What is not agreed to stays, in either era, whatever the client answers, or
// does not.
func TestOnlyAYesDeletes(t *testing.T) {
	for _, version := range []string{"2026-07-28", "2025-11-25", "2025-06-18"} {
		for _, test := range []struct {
			name    string
			answer  *mcp.ElicitResult // nil: the client cannot ask
			deletes bool
			want    string
		}{
			{"yes", &yes, true, ""},
			{"accepted, but no", &no, false, "the user declined"},
			{"decline", &mcp.ElicitResult{Action: "decline"}, false, "the user declined"},
			{"cancel", &mcp.ElicitResult{Action: "cancel"}, false, "the user declined"},
			{"a client that cannot ask", nil, false, "client"},
		} {
			t.Run(version+", "+test.name, func(t *testing.T) {
				b, options := &bench{}, &mcp.ClientOptions{}
				if test.answer != nil {
					options.ElicitationHandler = func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) { return test.answer, nil }
				}
				b.open(t, options, version)
				sea := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "sea"})
				e := ok[entry](t, b, ada, "create_entry", tagged{draft{Title: "Rain", Content: "x"}, []string{sea.ID}})
				for tool, id := range map[string]string{"delete_entry": e.ID, "delete_tag": sea.ID} {
					res, err := b.client.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: entryID{id}})
					if wire, refused := errors.AsType[*jsonrpc.Error](err); refused && test.answer == nil && version == "2026-07-28" {
						if wire.Code != mcp.CodeMissingRequiredClientCapabilities || !strings.Contains(wire.Message, test.want) {
							t.Errorf("%s: %v", tool, err)
						}
					} else if err != nil || res.IsError == test.deletes || !strings.Contains(said(res), test.want) {
						t.Errorf("%s: %+v, %v", tool, res, err)
					}
				}
				p, err := b.list(t.Context(), "ada", filter{})
				tags, tagsErr := b.listTags(t.Context(), "ada", paging{})
				if left := p.Total + tags.Total; err != nil || tagsErr != nil || (left == 0) != test.deletes || (left == 2) == test.deletes {
					t.Errorf("%d entries and %d tags are left, %v %v", p.Total, tags.Total, err, tagsErr)
				}
			})
		}
	}
}
