package foyer

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// stories are what happens to people at their browser.
var stories = map[string]func(person){
	"a guest": func(p person) {
		p.sent("guest")
		p.Shows("h1", "Continue to app.example?")
		p.Picture("guest")
		p.app.quiet.Store(true)
		p.Presses("Continue to app.example")
		p.Shows("h1", "On the way")
		p.scopes(p.connected(), "guest")
		p.Picture("on-the-way")
	},
	"consent, and then none": func(p person) {
		p.sent("journal:write journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.Picture("connect")
		p.Types("ann@example.com\r")
		p.Shows("h1", "Look into your mail")
		p.Shows("main", "It works for 8 minutes")
		p.Picture("digits")
		p.Types(digitsIn(p.t, p.mail(p.t, "ann@example.com")) + "\r")
		p.Shows("h1", "use Journal?")
		p.Picture("consent")
		p.Types("\t\t ") // ticks the second box, too
		p.Presses("Allow")
		p.Shows("h1", "Connected")
		p.scopes(p.connected(), "guest", "journal:export", "journal:write")
		p.advance(time.Minute)
		p.app.quiet.Store(true)
		p.sent("journal:export")
		p.Shows("h1", "On the way")
		p.Shows("p", "Journal")
		p.scopes(p.connected(), "guest", "journal:export", "journal:write")
		p.Picture("allowed-before")
		p.Presses("See your connected apps")
		p.Shows("h1", "Connected apps")
	},
	"connected, seen and disconnected": func(p person) { // as testdata/flows/connected.txtar
		if status := p.eagerly(""); status != http.StatusUnauthorized {
			p.t.Errorf("without a token: %d", status)
		}
		p.Goes(p.issuer + strings.Replace(p.asked("journal:write"), url.QueryEscape("/mcp"), url.QueryEscape("/eager/mcp"), 1))
		p.Shows("h1", "Sign in to Journal")
		p.signsIn()
		p.Shows("h1", "use Journal?")
		p.Presses("Allow")
		p.Shows("h1", "Connected")
		g := p.connected()
		if status := p.eagerly(g.access); status != http.StatusOK {
			p.t.Errorf("with it: %d", status)
		}
		p.Goes(p.issuer + "/account")
		p.Shows("h1", "Connected apps")
		p.Presses("Disconnect “A diary helper")
		p.Shows("h1", "Disconnected")
		if status := p.eagerly(g.access); status != http.StatusUnauthorized {
			p.t.Errorf("once disconnected: %d", status)
		}
	},
	"a sign-in of just now": func(p person) {
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.signsIn()
		p.Shows("h1", "use Journal?")
		p.Presses("Allow")
		p.Shows("h1", "Connected")
		p.scopes(p.connected(), "guest", "journal:export")
		p.advance(15 * time.Minute)
		p.Goes(p.issuer + p.asked("journal:export") + "&max_age=600")
		p.Shows("h1", "Sign in again")
		p.Picture("connect-again")
		p.signsIn()
		p.Shows("h1", "use Journal?")
	},
	"a no": func(p person) {
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.signsIn()
		p.Shows("h1", "use Journal?")
		p.Presses("Cancel")
		p.Shows("h1", "Connected")
		if q := p.back(); q.Get("error") != "access_denied" || q.Has("code") {
			p.t.Errorf("the app was sent %v", q)
		}
	},
	"a look round (T56)": func(p person) {
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.Presses("Look round as a guest")
		p.Shows("h1", "Connected")
		p.scopes(p.connected(), "guest")
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.signsIn()
		p.Shows("h1", "use Journal?")
		p.Presses("Look round as a guest")
		p.Shows("h1", "Connected")
		p.scopes(p.connected(), "guest")
	},
	"a user comes back (T57)": func(p person) {
		p.sent("guest")
		p.Shows("h1", "Continue to app.example?")
		p.Presses("Continue to app.example")
		p.Shows("h1", "Connected")
		p.connected().signIn(p.t, "ann@example.com")
		p.advance(2 * time.Minute)
		p.sent("guest")
		p.Shows("h1", "Continue as a guest?")
		p.Picture("continue")
		p.Presses("Continue as a***@example.com")
		p.Shows("h1", "Sign in to Journal")
		p.signsIn()
		p.Shows("h1", "use Journal?")
		p.Presses("Allow")
		p.Shows("h1", "Connected")
		p.scopes(p.connected(), "guest", "journal:write")
		p.sent("guest")
		p.Shows("h1", "Continue as a guest?")
		p.Presses("Continue to app.example as a guest")
		p.Shows("h1", "Connected")
		p.scopes(p.connected(), "guest")
	},
	"what was kept": func(p person) {
		g := p.signedInChat()
		p.Goes(p.issuer + g.path(p.t))
		p.Shows("h1", "Sign in")
		p.signsIn()
		p.Shows("h2", "What you kept as a guest")
		p.Picture("kept")
		p.Presses("Leave it apart")
		p.Shows("h1", "Left apart")
		p.Picture("left")
		p.Presses("See this app")
		p.Shows("h2", "What you kept as a guest")
		p.Presses("Take along: 2 drafts")
		p.Shows("h1", "Taken along")
		p.Picture("taken-along")
		if mine := g.drafts(p.t); len(mine) != 2 {
			p.t.Errorf("the user has %q", mine)
		}
	},
	"by the link of the mail": func(p person) {
		g := &guest{house: p.house, client: p.house.client(p.t, p.other)}
		g.access, g.refresh = p.redeem(p.t, g.client, p.code(p.t, g.client))
		asked := g.linked(p.t, "ann@example.com")
		p.Goes(p.issuer + asked.link)
		p.Shows("h1", "Sign in to Journal in your chat?")
		p.Picture("link")
		p.Types("AAAA\r")
		p.Shows(".problem", "2 tries are left")
		p.Picture("link-wrong")
		p.Types(strings.ToLower(asked.pairing) + "\r")
		p.Shows("h1", "Signed in")
		p.Picture("link-done")
		g.works(p.t, "after the link")
		p.Goes(p.issuer + asked.link)
		p.Shows("h1", "This link was used already")
		p.Picture("link-used")
		p.advance(time.Minute)
		link := p.noticed(p.t, p.notices(p.t, "ann@example.com")[0])
		p.Goes(p.issuer + link)
		p.Shows("h1", "Disconnect “"+p.other[:6])
		p.Picture("notice")
		p.Presses("Disconnect “" + p.other[:6])
		p.Shows("h1", "Disconnected")
		if a := g.call(p.t, "whoami", ""); a.status != http.StatusUnauthorized {
			p.t.Errorf("after it was disconnected: %d %s", a.status, a.raw)
		}
		p.Goes(p.issuer + link)
		p.Shows("h1", "There is nothing to disconnect")
		p.Picture("notice-over")
	},
	"connected apps": func(p person) {
		other, ann := p.chat(p.t, p.other, "ann@example.com"), p.chat(p.t, "Claude", "ann@example.com")
		p.Goes(p.issuer + "/account")
		p.Shows("h1", "Sign in")
		p.Picture("sign-in")
		p.signsIn()
		p.Shows("h1", "Connected apps")
		p.Picture("account")
		p.Presses("Change what “Claude” may do")
		p.Shows("h1", "What “Claude” may do")
		p.Picture("connection")
		p.Presses("Let “Claude” do this: “Take a copy")
		p.Shows("h1", "Given")
		p.Picture("given")
		if a := ann.call(p.t, "export_journal", ""); a.isError {
			p.t.Errorf("after it was given: %s", a.raw)
		}
		p.Presses("See what it may do now")
		p.Shows("h1", "What “Claude” may do")
		p.Presses("Take back “Take a copy")
		p.Shows("h1", "Taken back")
		p.Picture("taken-back")
		p.Presses("See what it may do now")
		p.Shows("h1", "What “Claude” may do")
		p.advance(11 * time.Minute)
		p.Presses("Let “Claude” do this: “Take a copy")
		p.Shows("h1", "Sign in again")
		p.Picture("sign-in-again")
		p.Goes(p.issuer + "/account")
		p.Shows("h1", "Connected apps")
		p.Presses("Disconnect “" + p.other[:6])
		p.Shows("h1", "Disconnected")
		p.Picture("disconnected")
		if a := other.call(p.t, "whoami", ""); a.status != http.StatusUnauthorized {
			p.t.Errorf("after it was disconnected: %d %s", a.status, a.raw)
		}
		ann.works(p.t, "what is left")
		p.Goes(p.issuer + "/account/none")
		p.Shows("h1", "There is no such app here")
		p.Picture("no-such-app")
		p.Presses("See your connected apps")
		p.Shows("h1", "Connected apps")
		p.Presses("Sign out of this browser")
		p.Shows("h1", "Sign in")
	},
	"it has changed": func(p person) {
		g := p.signedInChat()
		p.Goes(p.issuer + g.path(p.t))
		p.Shows("h1", "Sign in")
		p.signsIn()
		p.Shows("h2", "What you kept as a guest")
		g.merge(p.t, moveIt)
		p.Presses("Take along: 2 drafts")
		p.Shows("h1", "It has changed meanwhile")
		p.Picture("changed")
	},
	"wrong digits": func(p person) {
		p.Goes(p.issuer + "/account")
		p.Shows("h1", "Sign in")
		p.Types("ann@example\r")
		p.Shows(".problem", "domain")
		p.Picture("wrong-address")
		p.Goes(p.issuer + "/account")
		p.Shows("h1", "Sign in")
		p.Types("ann@example.com\r")
		p.Shows("h1", "Look into your mail")
		right := digitsIn(p.t, p.mail(p.t, "ann@example.com"))
		for left := 4; left > 0; left-- {
			p.Types(wrong(right) + "\r")
			p.Shows(".problem", fmt.Sprintf("%s left", []string{"", "One try is", "2 tries are", "3 tries are", "4 tries are"}[left]))
			if left == 4 {
				p.Picture("wrong-digits")
			}
		}
		p.Types(wrong(right) + "\r")
		p.Shows(".problem", "That code is used up")
		p.Picture("used-up")
	},
	"too late, too often": func(p person) {
		p.Goes(p.issuer + "/account")
		p.Shows("h1", "Sign in")
		p.Types("ann@example.com\r")
		p.Shows("h1", "Look into your mail")
		p.Presses("Use another address")
		p.Shows("h1", "Sign in")
		p.Types("ann@example.com\r")
		p.Shows(".problem", "Too many codes were asked for")
		p.Picture("limited")
		p.advance(9 * time.Minute)
		p.Types(digitsIn(p.t, p.mail(p.t, "ann@example.com")) + "\r")
		p.Shows(".problem", "That code has expired")
		p.Picture("expired-digits")
	},
	"a link that is too old": func(p person) {
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.advance(11 * time.Minute)
		p.signsIn()
		p.Shows("h1", "That link no longer works")
		p.Picture("expired-link")
	},
	"a button that is too old": func(p person) {
		p.sent("guest")
		p.Shows("h1", "Continue to app.example?")
		p.advance(11 * time.Minute)
		p.Presses("Continue to app.example")
		p.Shows("h1", "That button no longer works")
		p.Picture("expired-button")
	},
	"cookies are lost": func(p person) {
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.Forgets()
		p.Types("ann@example.com\r")
		p.Shows("h1", "That button no longer works")
		p.Picture("lost-cookies")
		p.sent("journal:export")
		p.Shows("h1", "Sign in to Journal")
		p.signsIn()
		p.Shows("h1", "use Journal?")
		p.Forgets()
		p.Presses("Allow")
		p.Shows("h1", "That link no longer works")
	},
	"links that lead nowhere": func(p person) {
		for name, link := range map[string]struct{ path, title string }{
			"link-incomplete":  {"/authorize", "This link is incomplete"},
			"link-unknown-app": {strings.Replace(p.asked("guest"), p.client, "nobody", 1), "The app has to register again"},
			"link-astray":      {strings.Replace(p.asked("guest"), "app.example", "evil.example", 1), "This link leads astray"},
			"link-mistake":     {strings.Replace(p.asked("guest"), "response_type=code", "response_type=qr", 1), "The app made a mistake"},
		} {
			p.Goes(p.issuer + link.path)
			p.Shows("h1", link.title)
			p.Picture(name)
		}
	},
}
