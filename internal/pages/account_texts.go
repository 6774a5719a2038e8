package pages

import (
	"html/template"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
)

var backText = words.T("See your connected apps")

// What the account pages say.
var (
	oldAccount = layout.Page{Title: words.T("That button no longer works"), Lines: []words.Text{
		words.T("It works for half an hour, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was changed."),
	}, Back: AccountPath, BackText: backText}
	signInAgain = layout.Page{Title: words.T("Sign in again"), Lines: []words.Text{
		words.T("This takes a sign-in of the last ten minutes, so that nobody does it who finds your browser open. Nothing was changed yet."),
		words.T("After it, press the button once more."),
	}}
)

func accountPage(app, account string, connected int) layout.Page {
	as := words.T("You are signed in as {account}.", "account", account)
	line := words.N(connected, "This app can act as you in {app}.", "These apps can act as you in {app}.", "app", app)
	if connected == 0 {
		line = words.T("No app can act as you in {app}.", "app", app)
	}
	return layout.Page{Title: words.T("Connected apps"), Lines: []words.Text{as, line}}
}

func connectionPage(app string, client words.Text, account string) layout.Page {
	return layout.Page{Title: words.T("What {client} may do", "client", client), Lines: []words.Text{words.T("It acts as {account} in {app}.", "account", account, "app", app)}, Back: AccountPath, BackText: backText}
}

// noGrant answers for what is another's, or over, as for what never was.
func noGrant(account string) layout.Page {
	return layout.Page{Title: words.T("There is no such app here"), Lines: []words.Text{
		words.T("You are signed in as {account}, and no app that is connected to that account is what this link means. It may have been disconnected.", "account", account),
	}, Back: AccountPath, BackText: backText}
}

// keptSection offers what the application calls kept.
func keptSection(app, kept, account string, form layout.Form) layout.Section {
	form.Buttons = []layout.Button{{Text: words.T("Take along: {kept}", "kept", kept), Name: "do", Value: "take"}, {Text: words.T("Leave it apart"), Name: "do", Value: "leave"}}
	return layout.Section{Title: words.T("What you kept as a guest"), Lines: []words.Text{
		words.T("Move {kept}, kept in {app} before signing in, to the account of {account}? Everything in that account can be read by whoever signs in to it.", "kept", kept, "app", app, "account", account),
		words.T("Take it along only if you have kept it yourself, in this browser."),
	}, Forms: []layout.Form{form}}
}

func takenAlong(kept, account string, back template.URL) layout.Page {
	return layout.Page{Title: words.T("Taken along"), Lines: []words.Text{
		words.T("Moved {kept} to the account of {account}.", "kept", kept, "account", account),
		words.T("You can return to your chat: it is in your account now."),
	}, Back: back, BackText: words.T("See this app")}
}

func leftApart(back template.URL) layout.Page {
	return layout.Page{Title: words.T("Left apart"), Lines: []words.Text{
		words.T("Nothing was moved. What you kept as a guest is not in your account; while this app stays connected, you can still take it along."),
	}, Back: back, BackText: words.T("See this app")}
}

func changedKept(back template.URL) layout.Page {
	return layout.Page{Title: words.T("It has changed meanwhile"), Lines: []words.Text{
		words.T("What was kept as a guest is not what the page showed any more: it may have been moved already, or is over. Nothing was moved now."),
	}, Back: back, BackText: words.T("See this app")}
}

func changedGrant(path string) layout.Page {
	return layout.Page{Title: words.T("It has changed meanwhile"), Lines: []words.Text{
		words.T("What this app may do is not what the page showed any more. Nothing was changed now."),
	}, Back: template.URL(path), BackText: words.T("See what it may do now")}
}

func disconnected(client words.Text) layout.Page {
	return layout.Page{Title: words.T("Disconnected"), Lines: []words.Text{
		words.T("{client} can no longer act as you. If you want to use it again, connect it again from there.", "client", client),
	}, Back: AccountPath, BackText: backText}
}

func disconnectedAll(n int) layout.Page {
	line := words.N(n, "1 app can no longer act as you.", "{n} apps can no longer act as you.")
	if n == 0 {
		line = words.T("There was none to disconnect.")
	}
	return layout.Page{Title: words.T("Disconnected"), Lines: []words.Text{line}, Back: AccountPath, BackText: backText}
}

func narrowedPage(client words.Text, lost []words.Text, id string) layout.Page {
	return layout.Page{Title: words.T("Taken back"), Lines: []words.Text{
		words.T("{client} may no longer do this: {scopes}.", "client", client, "scopes", words.Quoted(lost)),
	}, Back: template.URL(GrantPath(id)), BackText: words.T("See what it may do now")}
}

func widenedPage(client words.Text, given []words.Text, id string) layout.Page {
	return layout.Page{Title: words.T("Given"), Lines: []words.Text{
		words.T("{client} may now do this: {scopes}. You can take it back at any time.", "client", client, "scopes", words.Quoted(given)),
		words.T("Go back to your chat, and ask for it once more."),
	}, Back: template.URL(GrantPath(id)), BackText: words.T("See what it may do now")}
}
