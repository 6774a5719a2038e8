package pages

import (
	"time"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
)

// What the pages say: what is going on, and the one next step.
var (
	failed = layout.Page{Title: words.T("Something went wrong here"), Lines: []words.Text{
		words.T("It was not your doing, and nothing was changed."),
		words.T("Try again in a moment."),
	}}
	stale = layout.Page{Title: words.T("That button no longer works"), Lines: []words.Text{
		words.T("It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was done."),
		words.T("Go back to your chat, and open the link there once more."),
	}}
	tooLate = layout.Page{Title: words.T("It is settled already"), Lines: []words.Text{
		words.T("Somebody has confirmed or dropped this meanwhile, or it has expired. Nothing was changed by this page."),
		words.T("Return to your chat to see what came of it."),
	}}
)

func signInPage(app string) layout.Page {
	return layout.Page{Title: words.T("Sign in"), Lines: []words.Text{
		words.T("To go on, say who you are in {app}.", "app", app),
	}}
}

func digitsPage(email string) layout.Page {
	return layout.Page{Title: words.T("Look into your mail"), Lines: []words.Text{
		words.T("A code is on its way to {email}, if that can receive mail. It works for ten minutes, in this browser.", "email", email),
	}}
}

// lost answers a request that cannot be gone on with.
var lost = layout.Page{Title: words.T("That link no longer works"), Lines: []words.Text{
	words.T("It works for ten minutes, in the browser that came from the app, and only while that browser keeps cookies. Nothing was given."),
	words.T("Go back to the app and connect again."),
}}

// crowded follows too many look-ups of an app that has to be asked each time.
var crowded = layout.Page{Title: words.T("Too many tries at once"), Lines: []words.Text{
	words.T("The app has to be looked up each time, and your network has asked for that too often within a minute. Nothing was given."),
	words.T("Load this page again in a minute."),
}}

func connectPage(app string, client, place words.Text) layout.Page {
	return layout.Page{Title: words.T("Sign in to {app}", "app", app), Lines: []words.Text{
		words.T("An app that calls itself {client} wants to use {app} for you. It is sent to {place}.", "client", client, "app", app, "place", place),
		words.T("Say first who you are."),
	}}
}

func connectAnewPage(app string, client, place words.Text) layout.Page {
	return layout.Page{Title: words.T("Sign in again"), Lines: []words.Text{
		words.T("An app that calls itself {client} wants to do something in {app} that takes a sign-in from just now. It is sent to {place}.", "client", client, "app", app, "place", place),
		words.T("Your sign-in here is older than that."),
	}}
}

func consentPage(app string, client, place words.Text, account string, kept []words.Text) layout.Page {
	page := layout.Page{Title: words.T("Let {client} use {app}?", "client", client, "app", app), Lines: []words.Text{
		words.T("It would act as {account}. What you allow is sent to {place}.", "account", account, "place", place),
		words.T("You can take it back at any time."),
	}}
	if len(kept) > 0 {
		page.Lines = append(page.Lines, words.T("You have allowed it things before, in this browser. What it may do already goes on, whatever you tick below:"))
		page.Steps = kept
	}
	return page
}

func onTheWay(place words.Text) layout.Page {
	return layout.Page{Title: words.T("On the way"), Lines: []words.Text{
		words.T("Your browser goes on to {place}. You can close this page when the app is connected.", "place", place),
	}}
}

func confirmPage(app, summary string, client, place words.Text, account string, left time.Duration) layout.Page {
	return layout.Page{Title: words.T("Confirm this?"), Lines: []words.Text{
		words.T("{client}, {place}, asks {app} to do this for your account {account}:", "client", client, "place", place, "app", app, "account", account),
	}, Quote: summary, After: []words.Text{
		words.T("Nothing was done yet. If you did not ask for it in your chat, do not confirm it. It can be confirmed for another {span}.", "span", left),
	}}
}

func confirmed(summary string) layout.Page {
	return layout.Page{Title: words.T("Confirmed"), Quote: summary, After: []words.Text{
		words.T("Return to your chat, and say that you have confirmed it: it is done from there, once. You can close this page."),
	}}
}

func declined(summary string) layout.Page {
	return layout.Page{Title: words.T("Not done"), Quote: summary, After: []words.Text{
		words.T("Nothing was done, and your chat is told that you do not want it. You can close this page."),
	}}
}

func nothing(account string) layout.Page {
	return layout.Page{Title: words.T("Nothing waits for you here"), Lines: []words.Text{
		words.T("You are signed in as {account}, and nothing that this link could mean waits for you. It may have expired, which it does after five minutes, it may be settled, or it may be for another account.", "account", account),
		words.T("Return to your chat, and ask for it again."),
	}}
}

func tooWeak(app, level string) layout.Page {
	return layout.Page{Title: words.T("This takes a stronger sign-in"), Lines: []words.Text{
		words.T("It is confirmed only after a fresh sign-in by {level}, and {app} has none here. Nothing was done.", "level", level, "app", app),
		words.T("Return to your chat. Ask those who run {app} how to do this.", "app", app),
	}}
}
