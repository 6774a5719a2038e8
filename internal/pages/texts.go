package pages

import (
	"time"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
)

// What the pages say: what is going on, and the one next step.
var (
	failed = layout.Page{Title: "Something went wrong here", Lines: []string{
		"It was not your doing, and nothing was changed.",
		"Try again in a moment.",
	}}
	stale = layout.Page{Title: "That button no longer works", Lines: []string{
		"It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was done.",
		"Go back to your chat, and open the link there once more.",
	}}
	tooLate = layout.Page{Title: "It is settled already", Lines: []string{
		"Somebody has confirmed or dropped this meanwhile, or it has expired. Nothing was changed by this page.",
		"Return to your chat to see what came of it.",
	}}
)

func signInPage(app string) layout.Page {
	return layout.Page{Title: "Sign in", Lines: []string{
		"To go on, say who you are in " + app + ". We mail you a code; there is no password.",
	}}
}

func digitsPage(email string) layout.Page {
	return layout.Page{Title: "Look into your mail", Lines: []string{
		"A code is on its way to " + email + ", if that can receive mail. It works for ten minutes, in this browser.",
	}}
}

// lost answers a request that cannot be gone on with.
var lost = layout.Page{Title: "That link no longer works", Lines: []string{
	"It works for ten minutes, in the browser that came from the app, and only while that browser keeps cookies. Nothing was given.",
	"Go back to the app and connect again.",
}}

// crowded follows too many look-ups of an app that has to be asked each time.
var crowded = layout.Page{Title: "Too many tries at once", Lines: []string{
	"The app has to be looked up each time, and your network has asked for that too often within a minute. Nothing was given.",
	"Load this page again in a minute.",
}}

func connectPage(app, client, place string) layout.Page {
	return layout.Page{Title: "Sign in to " + app, Lines: []string{
		"An app that calls itself " + client + " wants to use " + app + " for you. It is sent to " + place + ".",
		"Say first who you are. We mail you a code; there is no password.",
	}}
}

func connectAnewPage(app, client, place string) layout.Page {
	return layout.Page{Title: "Sign in again", Lines: []string{
		"An app that calls itself " + client + " wants to do something in " + app + " that takes a sign-in from just now. It is sent to " + place + ".",
		"You are signed in here, but since longer ago. We mail you a code; there is no password.",
	}}
}

func consentPage(app, client, place, account string, kept []string) layout.Page {
	page := layout.Page{Title: "Let " + client + " use " + app + "?", Lines: []string{
		"It would act as " + account + ". What you allow is sent to " + place + ".",
		"You can take it back at any time.",
	}}
	if len(kept) > 0 {
		page.Lines = append(page.Lines, "You have allowed it things before, in this browser. What it may do already goes on, whatever you tick below:")
		page.Steps = kept
	}
	return page
}

func onTheWay(place string) layout.Page {
	return layout.Page{Title: "On the way", Lines: []string{
		"Your browser goes on to " + place + ". You can close this page when the app is connected.",
	}}
}

func confirmPage(app, summary, client, place, account string, left time.Duration) layout.Page {
	return layout.Page{Title: "Confirm this?", Lines: []string{
		client + ", " + place + ", asks " + app + " to do this for your account " + account + ":",
	}, Quote: summary, After: []string{
		"Nothing was done yet. If you did not ask for it in your chat, do not confirm it. It can be confirmed for another " + words.Span(left) + ".",
	}}
}

func confirmed(summary string) layout.Page {
	return layout.Page{Title: "Confirmed", Quote: summary, After: []string{
		"Return to your chat, and say that you have confirmed it: it is done from there, once. You can close this page.",
	}}
}

func declined(summary string) layout.Page {
	return layout.Page{Title: "Not done", Quote: summary, After: []string{
		"Nothing was done, and your chat is told that you do not want it. You can close this page.",
	}}
}

func nothing(account string) layout.Page {
	return layout.Page{Title: "Nothing waits for you here", Lines: []string{
		"You are signed in as " + account + ", and nothing that this link could mean waits for you. It may have expired, which it does after five minutes, it may be settled, or it may be for another account.",
		"Return to your chat, and ask for it again.",
	}}
}

func tooWeak(app, level string) layout.Page {
	return layout.Page{Title: "This takes a stronger sign-in", Lines: []string{
		"It is confirmed only after a fresh sign-in by " + level + ", and " + app + " has none here. Nothing was done.",
		"Return to your chat. Ask those who run " + app + " how to do this.",
	}}
}
