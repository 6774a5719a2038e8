package pages

import (
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

const yourData = "You can take a copy of what is kept of you, as a zip file, and you can have it deleted."

var (
	goingPage = layout.Page{Title: "Your account is being deleted", Lines: []string{
		"It can no longer be kept. Once that is done, you can sign in with your address again, as somebody who is new here.",
	}}
	keptPage = layout.Page{Title: "Your account is kept", Lines: []string{
		"Nothing of yours was deleted. Apps stay disconnected: connect again those that you want to use.",
	}, Back: AccountPath, BackText: "See your account"}
	busyPage = layout.Page{Title: "Not just now", Lines: []string{
		"A copy of your data is being made already, or too many people want one at once. Nothing was changed.",
		"Go back, and try again in a few minutes.",
	}, Back: AccountPath, BackText: "See your account"}
)

func leavePage(app, account string, appData bool) layout.Page {
	page := layout.Page{Title: "Delete your account?", Lines: []string{"This is about the account of " + account + " in " + app + ". Nothing was deleted yet."}, Steps: []string{
		"At once: no app can act as you any more, and you are signed out of every browser.",
		"For seven days: everything stays, and you can keep your account, by a button on this page. We mail you how.",
		"Then: all that is kept of you is deleted for good. Nobody can bring it back.",
	}, Back: AccountPath, BackText: "Go back, and delete nothing"}
	if !appData {
		page.After = []string{"This deletes your account and what was allowed by it. What " + app + " itself keeps of you is not part of it: ask those who run it."}
	}
	return page
}

func left(d store.Deletion) layout.Page {
	page := leaving(d)
	page.Lines = []string{
		"No app can act as you any more, and you are signed out, here and in every other browser. A mail that says how to keep your account is on its way to you.",
	}
	page.Back, page.BackText = AccountPath, "Sign in, to keep it or to download your data"
	return page
}

func leavingPage(app, account string, d store.Deletion) layout.Page {
	page := leaving(d)
	page.Lines = []string{
		"You are signed in as " + account + ". Until then everything in " + app + " stays, and you can keep your account.",
		"Apps that were disconnected stay so until you connect them again.",
	}
	return page
}

func leaving(d store.Deletion) layout.Page {
	return layout.Page{Title: "Your account will be deleted on " + words.Moment(d.Until)}
}

// leavingConsent is for who came by an app.
func leavingConsent(client, account string, d store.Deletion) layout.Page {
	page := leaving(d)
	page.Lines = []string{"You are signed in as " + account + ", and " + client + " cannot be connected to an account that is about to be deleted. Keep your account first, or use another one."}
	page.Back, page.BackText = AccountPath, "See how to keep it"
	return page
}
