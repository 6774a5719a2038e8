package pages

import (
	"fmt"
	"html/template"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
)

const backText = "See your connected apps"

// What the account pages say.
var (
	oldAccount = layout.Page{Title: "That button no longer works", Lines: []string{
		"It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was changed.",
	}, Back: AccountPath, BackText: backText}
	signInAgain = layout.Page{Title: "Sign in again", Lines: []string{
		"This takes a sign-in of the last ten minutes, so that nobody does it who finds your browser open. Nothing was changed yet.",
		"We mail you a code; there is no password. After it, press the button once more.",
	}}
)

func accountPage(app, account string, connected int) layout.Page {
	line := "These apps can act as you in " + app + "."
	switch connected {
	case 0:
		line = "No app can act as you in " + app + "."
	case 1:
		line = "This app can act as you in " + app + "."
	}
	return layout.Page{Title: "Connected apps", Lines: []string{"You are signed in as " + account + ". " + line}}
}

func connectionPage(app, client, account string) layout.Page {
	return layout.Page{Title: "What " + client + " may do", Lines: []string{"It acts as " + account + " in " + app + "."}, Back: AccountPath, BackText: backText}
}

// noGrant answers for what is another's, or over, as for what never was.
func noGrant(account string) layout.Page {
	return layout.Page{Title: "There is no such app here", Lines: []string{
		"You are signed in as " + account + ", and no app that is connected to that account is what this link means. It may have been disconnected.",
	}, Back: AccountPath, BackText: backText}
}

func keptSection(kept, question string, form layout.Form) layout.Section {
	form.Buttons = []layout.Button{{Text: "Take along: " + kept, Name: "do", Value: "take"}, {Text: "Leave it apart", Name: "do", Value: "leave", Plain: true}}
	return layout.Section{Title: "What you kept as a guest", Lines: []string{question, "Take it along only if you have kept it yourself, in this browser."}, Forms: []layout.Form{form}}
}

func takenAlong(done string, back template.URL) layout.Page {
	return layout.Page{Title: "Taken along", Lines: []string{done, "You can return to your chat: it is in your account now."}, Back: back, BackText: "See this app"}
}

func leftApart(back template.URL) layout.Page {
	return layout.Page{Title: "Left apart", Lines: []string{"Nothing was moved. What you kept as a guest is not in your account; while this app stays connected, you can still take it along."}, Back: back, BackText: "See this app"}
}

func changedKept(back template.URL) layout.Page {
	return layout.Page{Title: "It has changed meanwhile", Lines: []string{
		"What was kept as a guest is not what the page showed any more: it may have been moved already, or is over. Nothing was moved now.",
	}, Back: back, BackText: "See this app"}
}

func changedGrant(path string) layout.Page {
	return layout.Page{Title: "It has changed meanwhile", Lines: []string{
		"What this app may do is not what the page showed any more. Nothing was changed now.",
	}, Back: template.URL(path), BackText: "See what it may do now"}
}

func disconnected(client string) layout.Page {
	return layout.Page{Title: "Disconnected", Lines: []string{
		client + " can no longer act as you. If you want to use it again, connect it again from there.",
	}, Back: AccountPath, BackText: backText}
}

func disconnectedAll(n int) layout.Page {
	line := fmt.Sprintf("%d apps can no longer act as you.", n)
	switch n {
	case 0:
		line = "There was none to disconnect."
	case 1:
		line = "1 app can no longer act as you."
	}
	return layout.Page{Title: "Disconnected", Lines: []string{line}, Back: AccountPath, BackText: backText}
}

func narrowedPage(client string, lost []string, id string) layout.Page {
	return layout.Page{Title: "Taken back", Lines: []string{client + " may no longer do this: " + words.Quoted(lost) + "."}, Back: template.URL(GrantPath(id)), BackText: "See what it may do now"}
}

func widenedPage(client string, given []string, id string) layout.Page {
	return layout.Page{Title: "Given", Lines: []string{
		client + " may now do this: " + words.Quoted(given) + ". You can take it back at any time.",
		"Go back to your chat, and ask for it once more.",
	}, Back: template.URL(GrantPath(id)), BackText: "See what it may do now"}
}
