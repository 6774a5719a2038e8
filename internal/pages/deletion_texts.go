package pages

import (
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

var (
	seeAccount = words.T("See your account")
	howToKeep  = words.T("See how to keep it")
)

var (
	goingPage = layout.Page{Title: words.T("Your account is being deleted"), Lines: []words.Text{
		words.T("It can no longer be kept. Once that is done, you can sign in with your address again, as somebody who is new here."),
	}}
	keptPage = layout.Page{Title: words.T("Your account is kept"), Lines: []words.Text{
		words.T("Nothing of yours was deleted. Apps stay disconnected: connect again those that you want to use."),
	}, Back: AccountPath, BackText: seeAccount}
	busyPage = layout.Page{Title: words.T("Not just now"), Lines: []words.Text{
		words.T("A copy of your data is being made already, or too many people want one at once. Nothing was changed."),
		words.T("Go back, and try again in a few minutes."),
	}, Back: AccountPath, BackText: seeAccount}
)

// leavePage says what goes, and when. What the application keeps goes too, or it does
// not, and that is said. Who signs in at the operator's stays signed in there.
func (p *Pages) leavePage(account string) layout.Page {
	atOnce := words.T("At once: no app can act as you any more, and you are signed out of every browser.")
	if p.Identity.elsewhere() {
		atOnce = words.T("At once: no app can act as you any more.")
	}
	page := layout.Page{Title: words.T("Delete your account?"), Lines: []words.Text{
		words.T("This is about the account of {account} in {app}. Nothing was deleted yet.", "account", account, "app", p.App),
	}, Steps: []words.Text{
		atOnce,
		words.T("For seven days: everything stays, and you can keep your account, or download your data. We mail you how."),
		words.T("Then: all that is kept of you is deleted for good. Nobody can bring it back."),
	}, Back: AccountPath, BackText: words.T("Go back, and delete nothing")}
	if !p.AppData {
		page.After = []words.Text{words.T("This deletes your account and what was allowed by it. What {app} itself keeps of you is not part of it: ask those who run it.", "app", p.App)}
	}
	return page
}

func (p *Pages) left(d store.Deletion) layout.Page {
	page := leaving(d)
	if p.Identity.elsewhere() {
		page.Lines = []words.Text{words.T("No app can act as you any more. A mail that says how to keep your account is on its way to you.")}
		page.Back, page.BackText = AccountPath, howToKeep
		return page
	}
	page.Lines = []words.Text{
		words.T("No app can act as you any more, and you are signed out, here and in every other browser. A mail that says how to keep your account is on its way to you."),
	}
	page.Back, page.BackText = AccountPath, words.T("Sign in, to keep it or to download your data")
	return page
}

func leavingPage(app, account string, d store.Deletion) layout.Page {
	page := leaving(d)
	page.Lines = []words.Text{
		words.T("You are signed in as {account}.", "account", account),
		words.T("Until then everything in {app} stays, and you can keep your account. Apps that were disconnected stay so until you connect them again.", "app", app),
	}
	return page
}

func leaving(d store.Deletion) layout.Page {
	return layout.Page{Title: words.T("Your account will be deleted on {time}", "time", d.Until)}
}

// leavingConsent is for who came by an app.
func leavingConsent(client words.Text, account string, d store.Deletion) layout.Page {
	page := leaving(d)
	page.Lines = []words.Text{
		words.T("You are signed in as {account}.", "account", account),
		words.T("{client} cannot be connected to an account that is about to be deleted. Keep your account first, or use another one.", "client", client),
	}
	page.Back, page.BackText = AccountPath, howToKeep
	return page
}
