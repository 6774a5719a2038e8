package journal

import (
	"strings"
	"testing"
)

func TestAPageShowsWhatTheViewsReturn(t *testing.T) {
	b := newBench(t)
	shown := map[string]bool{}
	for tool, err := range b.client.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if ui, has := tool.Meta["ui"].(map[string]any); has {
			shown[tool.Name] = ui["resourceUri"] == viewURI
		}
	}
	if len(shown) != 2 || !shown["view_journal"] || !shown["view_entry"] {
		t.Errorf("the page is for %v", shown)
	}
	ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	page, err := b.read(t, ada, viewURI)
	if err != nil || !strings.HasPrefix(page, viewType+" <!DOCTYPE html>") {
		t.Fatalf("%.60s, %v", page, err)
	}
	if same, err := b.read(t, nobody, viewURI); err != nil || same != page || strings.Contains(page, "Rain") {
		t.Errorf("the page of another is another: %v", err)
	}
	for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http:", "https:", "src="} {
		if strings.Contains(page, danger) {
			t.Errorf("the page has %s", danger)
		}
	}
}
