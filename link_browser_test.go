package foyer

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/chromium"
)

// A person with a keyboard opens the link of the mail, mistypes the pairing code, signs
// their chat in, and a minute later disconnects it by the link of the notice; on a
// phone's screen and on a wide one. The pages run no script.
func TestAPersonSignsInByTheLinkAndDisconnectsByTheNotice(t *testing.T) {
	for name, width := range map[string]int64{"phone": 320, "desk": 1280} {
		h := newHouse(t)
		g := &guest{house: h, client: h.client(t, `<b>`+strings.Repeat("Long", 20)+`\u202e`)}
		g.access, g.refresh = h.redeem(t, g.client, h.code(t, g.client))
		asked := g.linked(t, "ann@example.com")
		b := chromium.Open(t, width, h.issuer+asked.link)
		b.Shows("h1", "Sign in to Journal in your chat?")
		b.Picture("link-" + name)
		b.Types("AAAA\r") // the field has the focus
		b.Shows(".problem", "2 tries are left")
		b.Picture("link-wrong-" + name)
		b.Types(strings.ToLower(asked.pairing) + "\r")
		b.Shows("h1", "Signed in")
		b.Picture("link-done-" + name)
		g.works(t, "after the link")
		b.Goes(h.issuer + asked.link)
		b.Shows("h1", "This link was used already")
		b.Picture("link-used-" + name)
		h.advance(time.Minute)
		link := h.noticed(t, h.notices(t, "ann@example.com")[0])
		b.Goes(h.issuer + link)
		b.Shows("h1", "Disconnect “<b>Long")
		b.Picture("notice-" + name)
		b.Presses("Disconnect “<b>Long")
		b.Shows("h1", "Disconnected")
		if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("after it was disconnected: %d %s", a.status, a.raw)
		}
		b.Goes(h.issuer + link)
		b.Shows("h1", "There is nothing to disconnect")
		b.Picture("notice-over-" + name)
	}
}
