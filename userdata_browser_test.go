package foyer

import (
	"io"
	"net/http"
	"testing"
	"time"

	"example.com/foyer/internal/chromium"
)

// A person with a keyboard takes their data away, asks to be deleted, comes back and
// stays, on a phone and at a desk, with scripts and without.
func TestAPersonLeavesAndStaysByKeyboard(t *testing.T) {
	ctx := chromium.Start(t)
	for how, way := range chromium.Ways() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, noLimits)
			h.handler.Store(http.HandlerFunc(chromium.Checked(t, h.handler.Load().(http.Handler)).ServeHTTP))
			ann := h.chat(t, "Claude", "ann@example.com")
			b := chromium.OpenIn(ctx, t, way, h.issuer+"/account")
			signIn := func(heading string) {
				b.Shows("h1", "Sign in")
				b.Types("ann@example.com\r") // the field has the focus
				b.Shows("h1", "Look into your mail")
				b.Types(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
				b.Shows("h1", heading)
			}
			signIn("Connected apps")
			b.Picture("data")
			b.Presses("Download your data")
			b.Shows("h1", "Connected apps") // the page stays where a file comes
			b.Presses("Delete your account")
			b.Shows("h1", "Delete your account?")
			b.Picture("delete")
			b.Presses("Delete my account")
			b.Shows("h1", "Your account will be deleted on")
			b.Picture("delete-asked")
			if a := ann.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
				t.Errorf("after it: %d %s", a.status, a.raw)
			}
			b.Presses("Sign in, to keep it")
			signIn("Your account will be deleted on")
			b.Picture("delete-waits")
			b.Presses("Keep my account")
			b.Shows("h1", "Your account is kept")
			b.Picture("delete-not")
			b.Presses("See your account")
			b.Shows("h1", "Connected apps")
		})
	}
}

// The same person meets every refusal: a sign-in that is too old, a page that was left
// open, a copy that is being made, an app and a chat that come too late, and the end of
// the seven days. Each page says what to do.
func TestRefusalsOfDeletionsAndCopiesByKeyboard(t *testing.T) {
	ctx := chromium.Start(t)
	for how, way := range chromium.Ways() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			app := &application{}
			h := newHouse(t, noLimits, app.with)
			h.handler.Store(http.HandlerFunc(chromium.Checked(t, h.handler.Load().(http.Handler)).ServeHTTP))
			h.chat(t, "Claude", "ann@example.com")
			id := h.userID(t, "ann@example.com")
			b := chromium.OpenIn(ctx, t, way, h.issuer+"/account")
			signIn := func(first, heading string) {
				b.Shows("h1", first)
				b.Types("ann@example.com\r") // the field has the focus
				b.Shows("h1", "Look into your mail")
				b.Types(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
				b.Shows("h1", heading)
			}
			signIn("Sign in", "Connected apps")
			for _, button := range []string{"Download your data", "Delete your account"} {
				h.advance(11 * time.Minute)
				b.Presses(button)
				signIn("Sign in again", "Connected apps")
			}
			b.Presses("Delete your account")
			b.Shows("h1", "Delete your account?")
			h.advance(11 * time.Minute)
			b.Presses("Delete my account")
			signIn("Sign in again", "Connected apps")
			h.advance(31 * time.Minute)
			b.Presses("Delete your account")
			b.Shows("h1", "That button no longer works")
			b.Goes(h.issuer + "/account")
			b.Shows("h1", "Connected apps")
			b.Presses("Download your data")
			signIn("Sign in again", "Connected apps")

			begun, over := make(chan struct{}), make(chan struct{})
			app.export = func(func(string) (io.Writer, error)) error { close(begun); <-over; return nil }
			copied := make(chan error, 1)
			go func() { copied <- h.kit.ExportUser(t.Context(), id, io.Discard) }()
			<-begun
			b.Presses("Download your data")
			b.Shows("h1", "Not just now")
			b.Picture("data-busy")
			close(over)
			if err := <-copied; err != nil {
				t.Error(err)
			}
			b.Presses("See your account")
			b.Shows("h1", "Connected apps")

			asked := h.guest(t).linked(t, "ann@example.com")
			if _, err := h.kit.DeleteUser(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			b.Goes(h.issuer + asked.link)
			b.Shows("h1", "Sign in to Journal in your chat?")
			b.Types(asked.pairing + "\r")
			b.Shows("h1", "This account is about to be deleted")
			b.Picture("delete-chat")
			b.Presses("See how to keep it")
			signIn("Sign in", "Your account will be deleted on")
			b.Goes(h.issuer + h.asks(h.client(t, "App"), "scope", "journal:write"))
			b.Shows("main", "cannot be connected to an account")
			b.Picture("delete-connect")
			b.Presses("See how to keep it")
			b.Shows("h1", "Your account will be deleted on")
			h.advance(7*day - time.Hour)
			b.Goes(h.issuer + "/account")
			signIn("Sign in", "Your account will be deleted on")
			h.advance(29 * time.Minute)
			b.Goes(h.issuer + "/account")
			b.Shows("h1", "Your account will be deleted on")
			h.advance(29 * time.Minute)
			b.Goes(h.issuer + "/account")
			b.Shows("h1", "Your account will be deleted on")
			h.advance(15 * time.Minute)
			b.Presses("Keep my account")
			b.Shows("h1", "Your account is being deleted")
			b.Picture("delete-late")
		})
	}
}
