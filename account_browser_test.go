package foyer

import (
	"net/http"
	"strings"
	"testing"

	"example.com/foyer/internal/chromium"
)

// A person with a keyboard sees what is connected, gives a scope, takes one back and
// disconnects, on a phone's screen and on a wide one; the pages run no script.
func TestAPersonChangesWhatIsConnectedByKeyboard(t *testing.T) {
	for name, width := range map[string]int64{"phone": 320, "desk": 1280} {
		h := newHouse(t)
		long, ann := h.chat(t, `<b>`+strings.Repeat("Long", 20)+`\u202e`, "ann@example.com"), h.chat(t, "Claude", "ann@example.com")
		b := chromium.Open(t, width, h.issuer+"/account")
		b.Shows("h1", "Sign in")
		b.Types("ann@example.com\r") // the field has the focus
		b.Shows("h1", "Look into your mail")
		b.Types(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
		b.Shows("h1", "Connected apps")
		b.Picture("account-" + name)
		b.Presses("Change what “Claude” may do")
		b.Shows("h1", "What “Claude” may do")
		b.Picture("connection-" + name)
		b.Presses("Let “Claude” do this: “Take a copy")
		b.Shows("h1", "Given")
		if a := ann.call(t, "export_journal", ""); a.isError {
			t.Errorf("after it was given: %s", a.raw)
		}
		b.Presses("See what it may do now")
		b.Shows("h1", "What “Claude” may do")
		b.Presses("Take back “Take a copy")
		b.Shows("h1", "Taken back")
		b.Picture("taken-" + name)
		b.Goes(h.issuer + "/account")
		b.Shows("h1", "Connected apps")
		b.Presses("Disconnect “<b>Long")
		b.Shows("h1", "Disconnected")
		if a := long.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("after it was disconnected: %d %s", a.status, a.raw)
		}
		ann.works(t, "what is left")
	}
}
