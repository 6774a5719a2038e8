package foyer

import (
	"net/http"
	"testing"

	"example.com/foyer/internal/chromium"
)

// A person with a keyboard takes their data away, asks to be deleted, comes back and
// stays, on a phone's screen and on a wide one; the pages run no script.
func TestAPersonLeavesAndStaysByKeyboard(t *testing.T) {
	for name, width := range map[string]int64{"phone": 320, "desk": 1280} {
		h := newHouse(t, noLimits)
		ann := h.chat(t, "Claude", "ann@example.com")
		b := chromium.Open(t, width, h.issuer+"/account")
		signIn := func(heading string) {
			b.Shows("h1", "Sign in")
			b.Types("ann@example.com\r") // the field has the focus
			b.Shows("h1", "Look into your mail")
			b.Types(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
			b.Shows("h1", heading)
		}
		signIn("Connected apps")
		b.Picture("data-" + name)
		b.Presses("Download your data")
		b.Shows("h1", "Connected apps") // the page stays where a file comes
		b.Presses("Delete your account")
		b.Shows("h1", "Delete your account?")
		b.Picture("delete-" + name)
		b.Presses("Delete my account")
		b.Shows("h1", "Your account will be deleted on")
		b.Picture("left-" + name)
		if a := ann.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("after it: %d %s", a.status, a.raw)
		}
		b.Presses("Sign in, to keep it")
		signIn("Your account will be deleted on")
		b.Picture("leaving-" + name)
		b.Presses("Keep my account")
		b.Shows("h1", "Your account is kept")
		b.Picture("kept-" + name)
		b.Presses("See your account")
		b.Shows("h1", "Connected apps")
	}
}
