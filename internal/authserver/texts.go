package authserver

import (
	"html/template"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
)

// What the pages say: what has happened, why, and the one next step.
var (
	broken = page{Title: words.T("This link is broken"), Code: oauth.InvalidRequest, Lines: []words.Text{
		words.T("Part of its address cannot be read, as if it had been cut or changed on the way."),
		words.T("Go back to the app that sent you here, and connect again."),
	}}
	incomplete = page{Title: words.T("This link is incomplete"), Code: oauth.InvalidRequest, Lines: []words.Text{
		words.T("It must say, once each, which app sent you here (client_id) and where to send you back (redirect_uri)."),
		words.T("Go back to the app and connect again. If you come back to this page, the app has a fault: please tell its makers."),
	}}
	failed = page{Title: words.T("Something went wrong here"), Code: oauth.ServerError, Lines: []words.Text{
		words.T("It was not your doing, and nothing was changed."),
		words.T("Try again in a moment."),
	}}
	garbled = page{Title: words.T("That did not arrive whole"), Code: oauth.InvalidRequest, Lines: []words.Text{
		words.T("What your browser sent is not what the button of our page sends, so nothing was given."),
		words.T("Go back to the app and connect again."),
	}}
	stale = page{Title: words.T("That button no longer works"), Code: oauth.AccessDenied, Lines: []words.Text{
		words.T("It works for ten minutes, from our own page, in the browser that opened the page, and only while that browser keeps cookies. Nothing was given."),
		words.T("Go back to the app and connect again."),
	}}
)

// crowded follows too many strangers' documents from one address.
var crowded = page{Title: words.T("Too many new apps at once"), Code: oauth.TemporarilyUnavailable, Lines: []words.Text{
	words.T("From your network, several apps that are new here came within a minute."),
	words.T("Go back to the app in a minute, and connect again."),
}}

func distrusted(app, host string) page {
	return page{Title: words.T("Apps from there are not taken"), Code: oauth.InvalidClient + ": the host of client_id is not trusted", Lines: []words.Text{
		words.T("The app that sent you here is from {host}, and {app} takes no apps from there. Nothing was given.", "host", host, "app", app),
		words.T("Close this page. If you need this app, ask those who run {app}.", "app", app),
	}}
}

func badDocument(app string) page {
	return page{Title: words.T("The app describes itself wrongly"), Code: oauth.InvalidClient + ": client_id is no https URL with a path, or the document there does not fit it", Lines: []words.Text{
		words.T("The app that sent you here says where it describes itself, but {app} cannot accept what stands there. It may be a trick, so you stay here, and nothing was given.", "app", app),
		words.T("Only the makers of the app can mend that. If you know the app, go back to it and tell them; otherwise close this page."),
	}}
}

func unreadDocument(app, host string) page {
	return page{Title: words.T("The app’s description cannot be read"), Code: oauth.TemporarilyUnavailable + ": the document at client_id must come from a public address within 3 seconds, with status 200, as JSON of at most 64 KiB",
		Lines: []words.Text{
			words.T("The app that sent you here describes itself at {host}, and {app} cannot read that now. Nothing was given, and nothing that you have connected has changed.", "host", host, "app", app),
			words.T("Go back to the app in a minute, and connect again. If you come back to this page, please tell the makers of the app."),
		}}
}

func unknownClient(app string) page {
	return page{Title: words.T("The app has to register again"), Code: oauth.InvalidClient, Lines: []words.Text{
		words.T("{app} does not know the app that sent you here. Apps register by themselves, and a registration that nobody uses is deleted after a while.", "app", app),
		words.T("Remove {app} from the app and add it again. Where to do that:", "app", app),
	}, Steps: []words.Text{
		words.T("Claude: Settings › Connectors"),
		words.T("ChatGPT: Settings › Apps"),
		words.T("Claude Code: the command /mcp, then “Clear authentication”"),
		words.T("Cursor: Settings › MCP"),
		words.T("VS Code: the command “Authentication: Remove Dynamic Authentication Providers”"),
		words.T("MCP Inspector: clear the stored OAuth state"),
		words.T("mcp-remote: delete its folder ~/.mcp-auth"),
	}}
}

func unlistedClient(app string) page {
	return page{Title: words.T("The app is not known here"), Code: oauth.InvalidClient, Lines: []words.Text{
		words.T("{app} does not know the app that sent you here, and apps cannot register with it by themselves.", "app", app),
		words.T("Ask whoever runs {app} for a client ID, and put it into the settings of the app.", "app", app),
	}}
}

func wrongRedirect(app string, client words.Text) page {
	return page{Title: words.T("This link leads astray"), Code: oauth.InvalidRequest, Lines: []words.Text{
		words.T("It comes in the name of {client}, but would send you to an address that this app has not registered. That may be a trick, so you stay here, and nothing was given.", "client", client),
		words.T("If you have just connected the app yourself, remove {app} from it and add it again. Otherwise close this page.", "app", app),
	}}
}

func foretold(client words.Text) page {
	return page{Title: words.T("This link leads astray"), Code: oauth.InvalidRequest, Lines: []words.Text{
		words.T("The address to which it would send you, for {client}, looks as if it had our answer in it already. That may be a trick, so you stay here, and nothing was given.", "client", client),
		words.T("Close this page. If this is an app of your own: a redirect_uri may not hold code, error, error_description, iss or state."),
	}}
}

func mistake(client, place words.Text, problem *oauth.Error, back string) page {
	return page{Title: words.T("The app made a mistake"), Code: problem.Error(), Back: template.URL(back), BackText: words.T("Go back to {place}", "place", place), Lines: []words.Text{
		words.T("An app that calls itself {client} asked for something that cannot be answered, so nothing was given.", "client", client),
		words.T("Only its makers can mend that. If you know the app, go back to it: then it is told the reason."),
	}}
}

func beyond(client, place words.Text, _ *oauth.Error, back string) page {
	return page{Title: words.T("This takes a stronger sign-in"), Back: template.URL(back), BackText: words.T("Go back to {place}", "place", place), Lines: []words.Text{
		words.T("An app that calls itself {client} asked for a stronger sign-in than there is here in the browser, so nothing was given.", "client", client),
		words.T("If you know the app, go back to it: then it is told. Ask those who run this server how to do what you wanted."),
	}}
}

func leaving(app string, client, place words.Text) page {
	return page{Title: words.T("Continue to {place}?", "place", place), Form: button(words.T("Continue to {place}", "place", place)), Lines: []words.Text{
		words.T("An app that calls itself {client} wants to look round in {app} as a guest. Nobody has checked that name; what counts is where the button leads.", "client", client, "app", app),
		words.T("As a guest it gets nothing of yours. Continue only if you have just connected this app yourself. Otherwise close this page."),
	}}
}

func asGuest(app string, client words.Text, user string, place words.Text) page {
	return page{Title: words.T("Continue as a guest?"), BackText: words.T("Continue as {user}", "user", user), Form: button(words.T("Continue to {place} as a guest", "place", place)), Lines: []words.Text{
		words.T("From this browser, {client} is connected to {app} as {user}. Now it asks for a new connection.", "client", client, "app", app, "user", user),
		words.T("You can continue as {user}, which takes a sign-in in this browser. Or start as a guest, without anything of {user}; you can sign in again in the chat then: ask the assistant to.", "user", user),
		words.T("If the app still works as {user}, or if you have not just connected it, close this page.", "user", user),
	}}
}

// onTheWay follows a button. Browsers go on by themselves, but may stay where an
// app is to be opened.
func onTheWay(place words.Text, to string) page {
	return page{Title: words.T("On the way"), Back: template.URL(to), BackText: words.T("Continue to {place}", "place", place), Lines: []words.Text{
		words.T("Your browser goes on to {place}. You can close this page when the app is connected.", "place", place),
	}}
}
