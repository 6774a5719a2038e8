package confirm_test

import (
	"strings"
	"testing"

	"example.com/foyer/foyertest"
)

var classes = []string{"book", "order", "pay", "send", "erase"}

// K15: the first call shows what would be done, by text and by data, and does
// nothing; K16: one tool confirms what any tool has shown; K18: what was done is
// answered again, and not done again.
func TestK15K16K18FirstShownThenDoneOnce(t *testing.T) {
	for _, tool := range classes {
		t.Run(tool, func(t *testing.T) {
			s := newShop(t)
			ann := s.house.SignIn(t, "ann@example.com")
			r := call(t, ann, tool, thing{"tea"})
			want(t, "the first call", r, "preview", "Nothing was done yet. What would be done: ")
			if r.isError || !strings.Contains(r.text, "tea") || !strings.Contains(r.text, r.token()) || r.data["account"] != "a***@example.com" || r.data["expires_in"] != 300.0 || r.data["confirmation"] != "model" {
				t.Errorf("the preview: %s", r.raw)
			}
			wantEffects(t, s, "after the preview")
			first := confirms(t, ann, r.token(), "key")
			want(t, "confirmed", first, "succeeded", "Done: ")
			if first.isError || !strings.Contains(first.raw, `"result":{"done":"tea"}`) {
				t.Errorf("confirmed: %s", first.raw)
			}
			for _, again := range []reply{confirms(t, ann, r.token(), "key"), confirms(t, ann, r.token()), call(t, ann, "operation_status", map[string]any{"confirmationToken": r.token()})} {
				if again.text != first.text || again.raw != first.raw {
					t.Errorf("again: %s\nfirst: %s", again.raw, first.raw)
				}
			}
			if got := s.effects(t); len(got) == 0 || len(got) > 2 || !strings.HasSuffix(got[0], "tea") || len(got) == 2 && got[1] != "delivered tea" {
				t.Errorf("done are %q", got)
			}
		})
	}
}

// K17, T83: a confirmation by anybody else is refused, told as what has expired,
// and takes nothing away from whom it was shown to.
func TestK17T83AStrangersConfirmationIsRefusedAndConsumesNothing(t *testing.T) {
	s := newShop(t)
	ann, bob, own := s.house.SignIn(t, "ann@example.com"), s.house.SignIn(t, "bob@example.com"), s.house.SignIn(t, "ann@example.com")
	guest := s.house.Guest(t)
	token := shown(t, ann, "book", "tea")
	gone := confirms(t, ann, "NO-SUCH-TOKEN")
	want(t, "no such token", gone, "refused", "has expired, was used in another connection, or never was")
	for who, session := range map[string]struct{ r reply }{"bob": {confirms(t, bob, token)}, "another grant of ann's": {confirms(t, own, token)}, "a guest": {confirms(t, guest, token)}} {
		if session.r.raw != gone.raw {
			t.Errorf("%s: %s\nwant %s", who, session.r.raw, gone.raw)
		}
	}
	for _, tool := range []string{"operation_status", "cancel_request"} {
		if r := call(t, bob, tool, map[string]any{"confirmationToken": token}); r.raw != gone.raw {
			t.Errorf("%s by bob: %s", tool, r.raw)
		}
	}
	wantEffects(t, s, "after strangers")
	want(t, "the owner", confirms(t, ann, token), "succeeded", "Done")
	wantEffects(t, s, "after the owner", "tea")
}

// T83, tr14: what was shown to a user is nothing to the guest after a sign-out.
func TestT83AConfirmationDoesNotCrossASignOut(t *testing.T) {
	s := newShop(t)
	ann := s.house.SignIn(t, "ann@example.com")
	token, keeps := shown(t, ann, "book", "tea"), shown(t, ann, "keep", "tea")
	foyertest.Call(t, ann, "logout", nil)
	for _, token := range []string{token, keeps} {
		want(t, "as the next guest", confirms(t, ann, token), "refused", "has expired")
	}
	guests := shown(t, ann, "keep", "salt")
	s.house.Claim(t, ann, "ann@example.com")
	want(t, "a guest's, after a claim", confirms(t, ann, guests), "refused", "has expired")
	want(t, "from before, in the same account", confirms(t, ann, token), "refused", "has expired")
	wantEffects(t, s, "after all")
}
