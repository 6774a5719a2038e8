package confirm_test

import (
	"fmt"
	"strings"
	"testing"
)

// K18: a key narrows: it never lets anything be done twice, and it never stands for
// two things. What is confirmed under another key than before is refused, and whoever
// has the right one, or none, still gets the answer.
func TestK18AKeyOnlyEverNarrows(t *testing.T) {
	for _, tool := range classes {
		t.Run(tool, func(t *testing.T) {
			s := newShop(t)
			ann, bob := s.house.SignIn(t, "ann@example.com"), s.house.SignIn(t, "bob@example.com")
			token := shown(t, ann, tool, "tea")
			first := confirms(t, ann, token, "one")
			want(t, "the first", first, "succeeded", "Done")
			want(t, "re-keyed", confirms(t, ann, token, "two"), "refused", "confirmed under another idempotencyKey")
			for name, r := range map[string]reply{"the same key": confirms(t, ann, token, "one"), "no key": confirms(t, ann, token),
				"the same thing, shown again, under the same key": confirms(t, ann, shown(t, ann, tool, "tea"), "one")} {
				if r.raw != first.raw {
					t.Errorf("%s: %s\nfirst: %s", name, r.raw, first.raw)
				}
			}
			before := fmt.Sprint(s.effects(t))
			salt := shown(t, ann, tool, "salt")
			want(t, "something else under the same key", confirms(t, ann, salt, "one"), "refused", "this idempotencyKey was used for something else")
			if after := fmt.Sprint(s.effects(t)); after != before {
				t.Errorf("done are %s, and before %s", after, before)
			}
			want(t, "under its own", confirms(t, ann, salt, "three"), "succeeded", "Done")
			want(t, "another person's key of that name", confirms(t, bob, shown(t, bob, tool, "tea"), "one"), "succeeded", "Done")
			want(t, "a key without end", confirms(t, ann, token, strings.Repeat("k", 256)), "refused", "more than 255 bytes")
			want(t, "no token", confirms(t, ann, ""), "refused", "confirmationToken is missing")
		})
	}
}

// What was shown can be dropped, and listed, while it waits; there is an end to how
// much may wait.
func TestWhatWaitsCanBeListedAndDropped(t *testing.T) {
	s := newShop(t)
	ann, bob := s.house.SignIn(t, "ann@example.com"), s.house.SignIn(t, "bob@example.com")
	want(t, "nothing yet", call(t, ann, "operation_status", nil), "open", "Nothing waits for a confirmation.")
	tea, salt := shown(t, ann, "book", "tea"), shown(t, ann, "send", "salt")
	r := call(t, ann, "operation_status", nil)
	if open, _ := r.data["open"].([]any); len(open) != 2 || !strings.Contains(r.text, "2 waiting for a confirmation: Get salt; Get tea.") || !strings.Contains(r.raw, salt) {
		t.Errorf("two wait: %s", r.raw)
	}
	want(t, "bob's", call(t, bob, "operation_status", nil), "open", "Nothing waits for a confirmation.")
	want(t, "it waits", call(t, ann, "operation_status", map[string]any{"confirmationToken": tea}), "preview", "Nothing was done yet.")
	want(t, "dropped", call(t, ann, "cancel_request", map[string]any{"confirmationToken": tea}), "cancelled", "Nothing was done, and nothing will be: Get tea was dropped.")
	want(t, "dropped again", call(t, ann, "cancel_request", map[string]any{"confirmationToken": tea}), "cancelled", "was dropped")
	want(t, "confirmed after", confirms(t, ann, tea), "cancelled", "was dropped")
	want(t, "the other", confirms(t, ann, salt), "succeeded", "Done")
	want(t, "too late", call(t, ann, "cancel_request", map[string]any{"confirmationToken": salt}), "succeeded", "Done")
	wantEffects(t, s, "after all", "salt")
	for n := range 20 {
		shown(t, ann, "book", fmt.Sprint("thing ", n))
	}
	want(t, "one too many", call(t, ann, "book", thing{"more"}), "refused", "too many previews wait")
	want(t, "bob's are his", call(t, bob, "book", thing{"more"}), "preview", "Nothing was done yet")
}

// The tools that confirm are there where something is confirmed, and not elsewhere;
// their annotations have clients ask.
func TestK16TheToolsAreThereWhereSomethingIsConfirmed(t *testing.T) {
	s := newShop(t)
	ann := s.house.SignIn(t, "ann@example.com")
	found := map[string]bool{}
	for tool, err := range ann.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		found[tool.Name] = true
		switch tool.Name {
		case "confirm_request":
			if tool.Annotations == nil || tool.Annotations.DestructiveHint == nil || !*tool.Annotations.DestructiveHint {
				t.Errorf("%+v", tool.Annotations)
			}
		case "book":
			if tool.Annotations == nil || tool.Annotations.DestructiveHint != nil && !*tool.Annotations.DestructiveHint {
				t.Errorf("book: %+v", tool.Annotations)
			}
		}
	}
	for _, name := range []string{"confirm_request", "operation_status", "cancel_request"} {
		if !found[name] {
			t.Errorf("%s is not listed", name)
		}
	}
}
