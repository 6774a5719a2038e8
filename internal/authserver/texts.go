package authserver

import "html/template"

// What the pages say.
var (
	unreadable = page{Title: "This link is broken", Lines: []string{"Its address cannot be read. Go back to the app and connect again."}, Code: "invalid_request"}
	incomplete = page{Title: "This link is incomplete", Lines: []string{"It must name one client_id and one redirect_uri. Go back to the app and connect again; if it does not help, tell its makers."}, Code: "invalid_request"}
	failed     = page{Title: "Something went wrong here", Lines: []string{"It was not your doing, and nothing was changed. Try again in a moment."}, Code: "server_error"}
	stale      = page{Title: "This page has grown old", Lines: []string{"It was opened too long ago, or in another browser, or this browser keeps no cookies. Go back to the app and connect again."}, Code: "access_denied"}
)

func unknownClient(app string) page {
	return page{Title: "The app has to register again", Code: "invalid_client", Lines: []string{
		app + " does not know this app any more: registrations that nobody uses are forgotten.",
		"Remove " + app + " from the app and add it again. In Claude: Settings, Connectors. In VS Code: the command “Authentication: Remove Dynamic Authentication Providers”. In Cursor: Settings, MCP. In ChatGPT: Settings, Apps. In MCP Inspector: clear the stored OAuth state.",
	}}
}

func wrongRedirect(app, client string) page {
	return page{Title: "This link leads astray", Code: "invalid_request", Lines: []string{
		"The app that calls itself " + client + " did not register the address to which this link would send you, so you stay here.",
		"If you did not follow this link out of an app of yours, close this page. Else remove " + app + " from the app and add it again.",
	}}
}

func mistake(client, host, problem, back string) page {
	return page{Title: "The app made a mistake", Code: "invalid_request", Back: template.URL(back), BackText: "Tell it, at " + host, Lines: []string{
		"What " + client + " asked for cannot be answered: " + problem + ".",
	}}
}

func leaving(app, client, host string) page {
	return page{Title: "Continue to " + host + "?", Button: "Continue to " + host, Lines: []string{
		"An app that calls itself " + client + " wants to look round in " + app + " as a guest. It will be at " + host + "; nobody has checked its name.",
		"It gets nothing of yours. Continue only if you have just connected it yourself.",
	}}
}

func asGuest(app, client, user string) page {
	return page{Title: "Continue as a guest?", Button: "Continue as a guest", Lines: []string{
		"From this browser, " + client + " is connected to " + app + " as " + user + ", and now asks to connect anew.",
		"The new connection starts as a guest, without anything of " + user + ". You can sign in again in the chat: ask the assistant to.",
		"If the app still works as " + user + ", just close this page.",
	}}
}
