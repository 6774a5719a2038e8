package journal

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/gate"
)

// texts returns the drafts that a caller is shown.
func (b *bench) texts(t *testing.T, c gate.Caller) (all []string) {
	t.Helper()
	for _, n := range ok[notes](t, b, c, "list_drafts", struct{}{}).Drafts {
		all = append(all, n.Text)
	}
	return all
}

func TestDraftsAreKeptWithoutAnAccount(t *testing.T) {
	b := newBench(t)
	first := ok[note](t, b, guest, "save_draft", noteText{Text: "  The light went round.\x00\n"})
	b.clock = b.clock.Add(time.Minute)
	ok[note](t, b, guest, "save_draft", noteText{Text: "The keeper waved."})
	b.clock = b.clock.Add(time.Minute)
	if again := ok[note](t, b, guest, "save_draft", noteText{ID: first.ID, Text: "The light went out."}); again.ID != first.ID {
		t.Errorf("replaced, the draft is %+v", again)
	}
	if got := b.texts(t, guest); fmt.Sprint(got) != "[The light went out. The keeper waved.]" {
		t.Errorf("the drafts are %q", got)
	}
	b.fails(t, guest, "save_draft", noteText{ID: "nothing", Text: "x"}, errNoDraft.Error())
	b.fails(t, ada, "save_draft", noteText{ID: first.ID, Text: "x"}, errNoDraft.Error())
	b.fails(t, ada, "delete_draft", noteID{first.ID}, errNoDraft.Error())
	b.fails(t, guest, "save_draft", noteText{Text: " \n"}, errEmptyDraft.Error())
	b.fails(t, guest, "save_draft", noteText{Text: strings.Repeat("x", maxDraft+1)}, "at most 20000 fit")
	b.fails(t, nobody, "save_draft", noteText{Text: "x"}, errNobody.Error())
	b.asked = nil
	ok[deletedNote](t, b, guest, "delete_draft", noteID{first.ID})
	if len(b.asked) != 1 || b.asked[0] != "Delete the draft that begins with “The light went out.”? It cannot be brought back." {
		t.Errorf("asked: %q", b.asked)
	}
	b.answer = no
	for i := range maxDrafts - 1 {
		ok[note](t, b, guest, "save_draft", noteText{Text: fmt.Sprint("draft ", i)})
	}
	b.fails(t, guest, "save_draft", noteText{Text: "x"}, "whether to sign in")
	if got := b.texts(t, guest); len(got) != maxDrafts {
		t.Errorf("there are %d drafts", len(got))
	}
}

// Guests leave without a word: what they kept goes when no connection of theirs
// can live any more. What users keep stays.
func TestDraftsOfGuestsWhoNeverComeBackGo(t *testing.T) {
	b := newBench(t)
	ok[note](t, b, guest, "save_draft", noteText{Text: "a guest's"})
	ok[note](t, b, ada, "save_draft", noteText{Text: "a user's"})
	b.clock = b.clock.Add(abandoned)
	ok[note](t, b, bert, "save_draft", noteText{Text: "x"})
	if got := b.texts(t, guest); len(got) != 1 {
		t.Errorf("on the last day the guest has %q", got)
	}
	b.clock = b.clock.Add(time.Second)
	ok[note](t, b, bert, "save_draft", noteText{Text: "x"})
	if got := b.texts(t, guest); len(got) != 0 {
		t.Errorf("after it the guest has %q", got)
	}
	if got := b.texts(t, ada); len(got) != 1 {
		t.Errorf("the user has %q", got)
	}
}

// T18: drafts move all or none, once, and to nobody but the user.
func TestT18DraftsMoveAllOrNoneAndOnce(t *testing.T) {
	b := newBench(t)
	for i := range 3 {
		ok[note](t, b, guest, "save_draft", noteText{Text: fmt.Sprint("draft ", i)})
	}
	other := gate.Caller{GuestID: "guest-2"}
	ok[note](t, b, other, "save_draft", noteText{Text: "another's"})
	ok[note](t, b, ada, "save_draft", noteText{Text: "ada's own"})
	if kept, err := b.Kept(t.Context(), guest.GuestID); kept != "3 drafts" || err != nil {
		t.Errorf("kept: %q, %v", kept, err)
	}
	if _, err := b.db.Exec(`CREATE TRIGGER third BEFORE UPDATE ON drafts WHEN old.text = 'draft 2' BEGIN SELECT RAISE(ABORT, 'no'); END`); err != nil {
		t.Fatal(err)
	}
	if err := b.Move(t.Context(), guest.GuestID, ada.UserID); err == nil || len(b.texts(t, guest)) != 3 || len(b.texts(t, ada)) != 1 {
		t.Errorf("a move that fails at the last draft: %v; the guest has %q, the user %q", err, b.texts(t, guest), b.texts(t, ada))
	}
	if _, err := b.db.Exec(`DROP TRIGGER third`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := b.Move(t.Context(), guest.GuestID, ada.UserID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if mine := b.texts(t, ada); len(mine) != 4 || len(b.texts(t, guest)) != 0 || len(b.texts(t, other)) != 1 {
		t.Errorf("the user has %q, the guest %q, another guest %q", mine, b.texts(t, guest), b.texts(t, other))
	}
	if kept, err := b.Kept(t.Context(), guest.GuestID); kept != "" || err != nil {
		t.Errorf("after the move: %q, %v", kept, err)
	}
	for _, ids := range [][2]string{{"", ada.UserID}, {guest.GuestID, ""}, {ada.UserID, bert.UserID}} {
		if err := b.Move(t.Context(), ids[0], ids[1]); err == nil && ids[0] != ada.UserID {
			t.Errorf("Move(%q) does not fail", ids)
		}
	}
	if len(b.texts(t, bert)) != 0 || len(b.texts(t, ada)) != 4 {
		t.Error("a user's drafts moved to another user")
	}
}
