package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
)

var update = flag.Bool("update", false, "write testdata/tools.json anew")

func TestTheToolsAreAsTheyWere(t *testing.T) {
	b := newBench(t)
	res, err := b.client.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	type tool struct {
		Name        string
		Title       string
		Annotations *mcp.ToolAnnotations
	}
	var tools []tool
	for _, item := range res.Tools {
		tools = append(tools, tool{item.Name, item.Title, item.Annotations})
		if item.Description == "" || item.InputSchema == nil || item.OutputSchema == nil {
			t.Errorf("%s lacks a description or a schema", item.Name)
		}
	}
	got, err := json.MarshalIndent(tools, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "tools.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the tools changed; if that is meant, run go test -update\n%s", got)
	}
}

func TestEveryItemHasARuleAndEveryRuleAnItem(t *testing.T) {
	b := newBench(t)
	var tools, resources, prompts []string
	for item, err := range b.client.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		tools = append(tools, item.Name)
	}
	for item, err := range b.client.Resources(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		resources = append(resources, item.URI)
	}
	for item, err := range b.client.ResourceTemplates(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		resources = append(resources, item.URITemplate)
	}
	for item, err := range b.client.Prompts(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		prompts = append(prompts, item.Name)
	}
	for _, table := range []struct {
		rules gate.Rules
		items []string
	}{{Tools, tools}, {Resources, resources}, {Prompts, prompts}} {
		if rules := slices.Sorted(maps.Keys(table.rules)); !slices.Equal(rules, slices.Sorted(slices.Values(table.items))) {
			t.Errorf("rules for %v, but the items are %v", rules, table.items)
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	foyertest.Rules(t, "testdata/rules.txt", foyer.Config{Scopes: Scopes, Tools: Tools, Resources: Resources, Prompts: Prompts},
		foyertest.Nobody(), foyertest.Guest(), foyertest.User("ann"), foyertest.User("exporter").Scopes("journal:export"))
}

func TestFaultsAreLoggedAndNotTold(t *testing.T) {
	var log bytes.Buffer
	usual := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(usual)

	b := newBench(t)
	b.db.Close()
	for tool, arguments := range map[string]any{
		"list_entries": filter{}, "get_entry": entryID{"x"}, "create_entry": draft{Title: "x", Content: "x"},
		"update_entry": change{ID: "x"}, "delete_entry": entryID{"x"}, "export_journal": days{},
		"view_journal": struct{}{}, "view_entry": entryID{"x"}, "create_tag": tagDraft{Name: "x"}, "get_tag": tagID{"x"}, "list_tags": paging{},
		"update_tag": tagChange{ID: "x"}, "delete_tag": tagID{"x"}, "add_tag_to_entry": pair{"x", "x"},
		"get_tag_suggestions_instructions": forEntry{"x"}, "get_journal_insights_instructions": selection{},
	} {
		if text := said(b.call(t, ada, tool, arguments)); text != errFault.Error() {
			t.Errorf("%s says %q", tool, text)
		}
		if !strings.Contains(log.String(), "item="+tool) {
			t.Errorf("%s logs nothing", tool)
		}
	}
	for _, uri := range []string{entriesURI, entryPrefix + "x", tagsURI, tagPrefix + "x", userURI} {
		if _, err := b.read(t, ada, uri); code(err) != jsonrpc.CodeInternalError || !strings.Contains(err.Error(), errFault.Error()) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestReopeningKeepsEntriesInAFileForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a 100%? journal#.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	made, err := j.create(t.Context(), "ada", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v; want the database and its log", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", file, info.Mode(), err)
		}
	}
	var mode string
	var synchronous, timeout int
	err = errors.Join(j.db.QueryRow(`PRAGMA journal_mode`).Scan(&mode), j.db.QueryRow(`PRAGMA synchronous`).Scan(&synchronous),
		j.db.QueryRow(`PRAGMA busy_timeout`).Scan(&timeout))
	if err != nil || mode != "wal" || synchronous != 2 || timeout != 5000 {
		t.Errorf("journal_mode %s, synchronous %d, busy_timeout %d, %v", mode, synchronous, timeout, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got, err := again.get(t.Context(), "ada", made.ID); err != nil || !reflect.DeepEqual(got, made) {
		t.Errorf("after reopening: %+v, %v; want %+v", got, err, made)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing", "journal.db")); err == nil {
		t.Error("a file in a directory that does not exist was opened")
	}
}
