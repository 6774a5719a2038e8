package authserver

import (
	"html/template"

	"example.com/foyer/internal/oauth"
)

// What the pages say: what has happened, why, and the one next step.
var (
	broken = page{Title: "This link is broken", Code: oauth.InvalidRequest, Lines: []string{
		"Part of its address cannot be read, as if it had been cut or changed on the way.",
		"Go back to the app that sent you here, and connect again.",
	}}
	incomplete = page{Title: "This link is incomplete", Code: oauth.InvalidRequest, Lines: []string{
		"It must say, once each, which app sent you here (client_id) and where to send you back (redirect_uri).",
		"Go back to the app and connect again. If you come back to this page, the app has a fault: please tell its makers.",
	}}
	failed = page{Title: "Something went wrong here", Code: oauth.ServerError, Lines: []string{
		"It was not your doing, and nothing was changed.",
		"Try again in a moment.",
	}}
	garbled = page{Title: "That did not arrive whole", Code: oauth.InvalidRequest, Lines: []string{
		"What your browser sent is not what the button of our page sends, so nothing was given.",
		"Go back to the app and connect again.",
	}}
	stale = page{Title: "That button no longer works", Code: oauth.AccessDenied, Lines: []string{
		"It works for ten minutes, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was given.",
		"Go back to the app and connect again.",
	}}
)

// crowded follows too many strangers' documents from one address.
var crowded = page{Title: "Too many new apps at once", Code: oauth.TemporarilyUnavailable, Lines: []string{
	"From your network, several apps that are new here came within a minute.",
	"Go back to the app in a minute, and connect again.",
}}

func distrusted(app, host string) page {
	return page{Title: "Apps from there are not taken", Code: oauth.InvalidClient + ": the host of client_id is not trusted", Lines: []string{
		"The app that sent you here is from " + host + ", and " + app + " takes no apps from there. Nothing was given.",
		"Close this page. If you need this app, ask those who run " + app + ".",
	}}
}

func badDocument(app string) page {
	return page{Title: "The app describes itself wrongly", Code: oauth.InvalidClient + ": client_id is no https URL with a path, or the document there does not fit it", Lines: []string{
		"The app that sent you here says where it describes itself, but " + app + " cannot accept what stands there. It may be a trick, so you stay here, and nothing was given.",
		"Only the makers of the app can mend that. If you know the app, go back to it and tell them; otherwise close this page.",
	}}
}

func unreadDocument(app, host string) page {
	return page{Title: "The app’s description cannot be read", Code: oauth.TemporarilyUnavailable + ": the document at client_id must come from a public address within 3 seconds, with status 200, as JSON of at most 64 KiB",
		Lines: []string{
			"The app that sent you here describes itself at " + host + ", and " + app + " cannot read that now. Nothing was given, and nothing that you have connected has changed.",
			"Go back to the app in a minute, and connect again. If you come back to this page, please tell the makers of the app.",
		}}
}

func unknownClient(app string) page {
	return page{Title: "The app has to register again", Code: oauth.InvalidClient, Lines: []string{
		app + " does not know the app that sent you here. Apps register by themselves, and a registration that nobody uses is deleted after a while.",
		"Remove " + app + " from the app and add it again. Where to do that:",
	}, Steps: []string{
		"Claude: Settings › Connectors",
		"ChatGPT: Settings › Apps",
		"Claude Code: the command /mcp, then “Clear authentication”",
		"Cursor: Settings › MCP",
		"VS Code: the command “Authentication: Remove Dynamic Authentication Providers”",
		"MCP Inspector: clear the stored OAuth state",
		"mcp-remote: delete its folder ~/.mcp-auth",
	}}
}

func unlistedClient(app string) page {
	return page{Title: "The app is not known here", Code: oauth.InvalidClient, Lines: []string{
		app + " does not know the app that sent you here, and apps cannot register with it by themselves.",
		"Ask whoever runs " + app + " for a client ID, and put it into the settings of the app.",
	}}
}

func wrongRedirect(app, client string) page {
	return page{Title: "This link leads astray", Code: oauth.InvalidRequest, Lines: []string{
		"It comes in the name of " + client + ", but would send you to an address that this app has not registered. That may be a trick, so you stay here, and nothing was given.",
		"If you have just connected the app yourself, remove " + app + " from it and add it again. Otherwise close this page.",
	}}
}

func foretold(client string) page {
	return page{Title: "This link leads astray", Code: oauth.InvalidRequest, Lines: []string{
		"The address to which it would send you, for " + client + ", looks as if it had our answer in it already. That may be a trick, so you stay here, and nothing was given.",
		"Close this page. If this is an app of your own: a redirect_uri may not hold code, error, error_description, iss or state.",
	}}
}

func mistake(client, place string, problem *oauth.Error, back string) page {
	return page{Title: "The app made a mistake", Code: problem.Error(), Back: template.URL(back), BackText: "Go back to " + place, Lines: []string{
		"An app that calls itself " + client + " asked for something that cannot be answered, so nothing was given.",
		"Only its makers can mend that. If you know the app, go back to it: then it is told the reason.",
	}}
}

func beyond(client, place string, _ *oauth.Error, back string) page {
	return page{Title: "This takes a stronger sign-in", Back: template.URL(back), BackText: "Go back to " + place, Lines: []string{
		"An app that calls itself " + client + " asked for a stronger sign-in than there is here in the browser, so nothing was given.",
		"If you know the app, go back to it: then it is told. Ask those who run this server how to do what you wanted.",
	}}
}

func leaving(app, client, place string) page {
	return page{Title: "Continue to " + place + "?", Form: button("Continue to " + place), Lines: []string{
		"An app that calls itself " + client + " wants to look round in " + app + " as a guest. Nobody has checked that name; what counts is where the button leads.",
		"As a guest it gets nothing of yours. Continue only if you have just connected this app yourself. Otherwise close this page.",
	}}
}

func asGuest(app, client, user, place string) page {
	return page{Title: "Continue as a guest?", BackText: "Continue as " + user, Form: button("Continue to " + place + " as a guest"), Lines: []string{
		"From this browser, " + client + " is connected to " + app + " as " + user + ". Now it asks for a new connection.",
		"You can continue as " + user + ", which takes a sign-in in this browser. Or start as a guest, without anything of " + user + "; you can sign in again in the chat then: ask the assistant to.",
		"If the app still works as " + user + ", or if you have not just connected it, close this page.",
	}}
}

// onTheWay follows a button. Browsers go on by themselves, but may stay where an
// app is to be opened.
func onTheWay(place, to string) page {
	return page{Title: "On the way", Back: template.URL(to), BackText: "Continue to " + place, Lines: []string{
		"Your browser goes on to " + place + ". You can close this page when the app is connected.",
	}}
}
