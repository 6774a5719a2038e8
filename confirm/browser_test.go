package confirm_test

import (
	"testing"

	"example.com/foyer/internal/chromium"
)

// A person with a keyboard signs in and confirms, on a phone and at a desk, with scripts
// and without.
func TestAPersonConfirmsByKeyboard(t *testing.T) {
	ctx := chromium.Start(t)
	for how, way := range chromium.Ways() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, byPage)
			ann := s.house.SignIn(t, "ann@example.com")
			link, token := asked(t, s, ann, "a table for two on Friday at eight, by the window, and a cake with candles for the one whose birthday it is")
			b := chromium.OpenIn(ctx, t, way, link)
			b.Shows("h1", "Sign in")
			b.Types("ann@example.com\r") // the field has the focus
			b.Shows("h1", "Look into your mail")
			b.Types("12345\r")
			b.Shows(".problem", "4 tries are left")
			b.Types(s.house.Digits(t, "ann@example.com") + "\r")
			b.Shows("h1", "Confirm this?")
			b.Picture("confirm")
			b.Types("\t\r") // the first button
			b.Shows("h1", "Confirmed")
			b.Picture("confirmed")
			want(t, "the model comes back", confirms(t, ann, token), "succeeded", "Done")
			link, _ = asked(t, s, ann, "a table for nine")
			b.Goes(link)
			b.Shows("h1", "Confirm this?")
			b.Presses("Do not do it")
			b.Shows("h1", "Not done")
			b.Picture("not-done")
			b.Goes(link)
			b.Shows("h1", "Nothing waits for you here")
			b.Picture("nothing-waits")
			link, _ = asked(t, s, ann, "a table for ten")
			b.Goes(link)
			b.Shows("h1", "Confirm this?")
			b.Forgets()
			b.Presses("Confirm")
			b.Shows("h1", "That button no longer works")
		})
	}
}
