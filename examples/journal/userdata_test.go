package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"example.com/foyer/gate"
)

// copied is what Export writes of an owner, by the names of the files.
func (b *bench) copied(t *testing.T, owner string) map[string]*bytes.Buffer {
	t.Helper()
	files := map[string]*bytes.Buffer{}
	err := b.Export(t.Context(), owner, func(name string) (io.Writer, error) {
		files[name] = &bytes.Buffer{}
		return files[name], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A copy has all that is an owner's, also more tags than fit a page, and nothing of
// others; what is deleted is all of the owner's, once and again, and nothing of others.
func TestAnOwnersDataAreCopiedAndDeletedWhole(t *testing.T) {
	b := newBench(t)
	for _, c := range []gate.Caller{ada, bert} {
		for i := range 101 {
			ok[tag](t, b, c, "create_tag", tagDraft{Name: fmt.Sprintf("tag %d of %s", i, c.UserID)})
		}
		ok[entry](t, b, c, "create_entry", tagged{draft: draft{Title: "Rain on " + c.UserID, Content: "All day."}})
		ok[note](t, b, c, "save_draft", noteText{Text: "A draft of " + c.UserID})
	}
	ok[note](t, b, guest, "save_draft", noteText{Text: "a guest's"})
	count := func(c gate.Caller, name string) int {
		var list []any
		if err := json.Unmarshal(b.copied(t, c.Owner())[name].Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	files := b.copied(t, ada.Owner())
	for name, file := range files {
		if bytes.Contains(file.Bytes(), []byte(bert.UserID)) || !bytes.Contains(file.Bytes(), []byte(ada.UserID)) {
			t.Errorf("%s: %s", name, file)
		}
	}
	if len(files) != 4 || count(ada, "tags.json") != 101 || count(ada, "entries.json") != 1 || count(ada, "drafts.json") != 1 {
		t.Errorf("%d files, %d tags, %d entries", len(files), count(ada, "tags.json"), count(ada, "entries.json"))
	}
	for range 2 {
		for _, owner := range []string{ada.Owner(), guest.Owner()} {
			if err := b.Delete(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, want := range map[string]int{"tags.json": 101, "entries.json": 1, "drafts.json": 1} {
		if hers, others := count(ada, name), count(bert, name); hers != 0 || others != want {
			t.Errorf("%s: %d and %d are left", name, hers, others)
		}
	}
	if left := b.texts(t, guest); len(left) != 0 {
		t.Errorf("of the guest is left %q", left)
	}
	if err := b.Delete(t.Context(), ""); err != errNobody {
		t.Errorf("nobody: %v", err)
	}
}
