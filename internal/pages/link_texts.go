package pages

import (
	"net/http"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
)

var anotherMail = words.T("Go back to your chat, and ask there for a new mail.")

// linkRefusals are the refusals of the link of a mail, each with its page. One that is
// not ours, or another's, is answered as one that never was.
var linkRefusals = []struct {
	refusal error
	status  int
	page    layout.Page
}{
	{signin.ErrNone, http.StatusNotFound, layout.Page{Title: words.T("This link leads nowhere"), Lines: []words.Text{
		words.T("It is not one of ours, or was not copied whole. Nothing was done."),
		words.T("Open it from the mail once more, or go back to your chat and ask there for a new mail."),
	}}},
	{signin.ErrExpired, http.StatusGone, layout.Page{Title: words.T("This link has expired"), Lines: []words.Text{
		words.T("It works for some minutes, and until a newer mail comes. Nothing was done."), anotherMail,
	}}},
	{signin.ErrExhausted, http.StatusGone, layout.Page{Title: words.T("This link is used up"), Lines: []words.Text{
		words.T("Too many tries were wrong. Nothing was done."), anotherMail,
	}}},
	{signin.ErrSignedIn, http.StatusGone, usedLink},
	{grant.ErrChanged, http.StatusGone, usedLink},
	{grant.ErrUnknown, http.StatusGone, usedLink},
	{grant.ErrRevoked, http.StatusGone, usedLink},
	{grant.ErrLeaving, http.StatusForbidden, layout.Page{Title: words.T("This account is about to be deleted"), Lines: []words.Text{
		words.T("The chat was not signed in. Keep the account first, and ask in your chat for a new mail then."),
	}, Back: AccountPath, BackText: howToKeep}},
	{signin.ErrOff, http.StatusForbidden, layout.Page{Title: words.T("This chat cannot sign in now"), Lines: []words.Text{
		words.T("Too many codes were wrong there. Nothing was done."),
		words.T("Try again tomorrow, or remove this server from the app and add it again."),
	}}},
	{signin.ErrBusy, http.StatusTooManyRequests, layout.Page{Title: words.T("Too many people are signing in"), Lines: []words.Text{
		words.T("Nothing was done."), words.T("Ask in your chat for a new mail in an hour."),
	}}},
}

var (
	usedLink = layout.Page{Title: words.T("This link was used already"), Lines: []words.Text{
		words.T("Somebody is signed in in that chat. A link works once."),
		words.T("Return to your chat."),
	}, Back: AccountPath, BackText: backText}
	oldLink = layout.Page{Title: words.T("That button no longer works"), Lines: []words.Text{
		words.T("It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was done."),
		words.T("Open the link in the mail once more."),
	}}
	noNotice = layout.Page{Title: words.T("There is nothing to disconnect"), Lines: []words.Text{
		words.T("The link works for a day and once, and only while the app is connected as it was. Nothing was changed now."),
	}, Back: AccountPath, BackText: backText}
)

func claimPage(app string, client, place words.Text, account string, asked time.Time, may []words.Text) layout.Page {
	page := layout.Page{Title: words.T("Sign in to {app} in your chat?", "app", app), Lines: []words.Text{
		words.T("{client}, {place}, asked on {time} to sign you in.", "client", client, "place", place, "time", asked),
		words.T("Apps choose their names themselves; nobody has checked this one."),
		words.T("It would then act as {user} in {app}.", "user", account, "app", app),
	}, Warn: []words.Text{
		words.T("Type the pairing code only from a chat that you have started yourself. Who sends you one wants to get into your account: close this page then, and nothing happens."),
	}}
	if len(may) > 0 {
		page.Sections = []layout.Section{{Title: words.T("It may then:"), Items: may}}
	}
	return page
}

func claimed(app string, client words.Text, account string) layout.Page {
	return layout.Page{Title: words.T("Signed in"), Lines: []words.Text{
		words.T("Return to your chat: {client} now acts as {user} in {app}. You can close this page.", "client", client, "user", account, "app", app),
	}}
}

func noticePage(app string, client, place words.Text, account string) layout.Page {
	return layout.Page{Title: words.T("Disconnect {client}?", "client", client), Lines: []words.Text{
		words.T("{client}, {place}, acts as {user} in {app}.", "client", client, "place", place, "user", account, "app", app),
		words.T("It counts at once. The app can be connected again."),
	}}
}
