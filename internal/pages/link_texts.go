package pages

import (
	"net/http"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/signin"
)

const anotherMail = "Go back to your chat, and ask there for a new mail."

// linkRefusals are the refusals of the link of a mail, each with its page. One that is
// not ours, or another's, is answered as one that never was.
var linkRefusals = []struct {
	refusal error
	status  int
	page    layout.Page
}{
	{signin.ErrNone, http.StatusNotFound, layout.Page{Title: "This link leads nowhere", Lines: []string{"It is not one of ours, or was not copied whole. Nothing was done.",
		"Open it from the mail once more, or go back to your chat and ask there for a new mail."}}},
	{signin.ErrExpired, http.StatusGone, layout.Page{Title: "This link has expired", Lines: []string{"It works for some minutes, and until a newer mail comes. Nothing was done.", anotherMail}}},
	{signin.ErrExhausted, http.StatusGone, layout.Page{Title: "This link is used up", Lines: []string{"Too many tries were wrong. Nothing was done.", anotherMail}}},
	{signin.ErrSignedIn, http.StatusGone, usedLink},
	{grant.ErrChanged, http.StatusGone, usedLink},
	{grant.ErrUnknown, http.StatusGone, usedLink},
	{grant.ErrRevoked, http.StatusGone, usedLink},
	{signin.ErrOff, http.StatusForbidden, layout.Page{Title: "This chat cannot sign in now", Lines: []string{"Too many codes were wrong there. Nothing was done.",
		"Try again tomorrow, or remove this server from the app and add it again."}}},
	{signin.ErrBusy, http.StatusTooManyRequests, layout.Page{Title: "Too many people are signing in", Lines: []string{"Nothing was done.", "Load this page again in an hour, and ask in your chat for a new mail."}}},
}

var (
	usedLink = layout.Page{Title: "This link was used already", Lines: []string{"Somebody is signed in in that chat. A link works once.", "Return to your chat."}, Back: AccountPath, BackText: backText}
	oldLink  = layout.Page{Title: "That button no longer works", Lines: []string{
		"It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was done.",
		"Open the link in the mail once more.",
	}}
	noNotice = layout.Page{Title: "There is nothing to disconnect", Lines: []string{
		"The link works for a day and once, and only while the app is connected as it was. Nothing was changed now.",
	}, Back: AccountPath, BackText: backText}
	oldNotice = layout.Page{Title: "That button no longer works", Lines: []string{
		"It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was changed.",
		"Open the link in the mail once more.",
	}, Back: AccountPath, BackText: backText}
)

func claimPage(app, client, place, account, asked string, may []string) layout.Page {
	line := "It would then act as " + account + " in " + app + "."
	if len(may) > 0 {
		line = "It would then act as " + account + " in " + app + ", and:"
	}
	return layout.Page{Title: "Sign in to " + app + " in your chat?", Lines: []string{
		client + ", " + place + ", asked on " + asked + " to sign you in. Apps choose their names themselves; nobody has checked this one.",
		line,
	}, Steps: may, Warn: []string{
		"Type the pairing code only from a chat that you have started yourself. Who sends you one wants to get into your account: close this page then, and nothing happens.",
	}}
}

func claimed(app, client, account string) layout.Page {
	return layout.Page{Title: "Signed in", Lines: []string{
		"Return to your chat: " + client + " now acts as " + account + " in " + app + ". You can close this page.",
	}}
}

func noticePage(app, client, place, account string) layout.Page {
	return layout.Page{Title: "Disconnect " + client + "?", Lines: []string{
		client + ", " + place + ", acts as " + account + " in " + app + ".",
		"To disconnect it counts at once. The app can be connected again.",
	}}
}
