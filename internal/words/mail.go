// Package words is everything that people and models read: mails, the texts of pages,
// of tools and refusals, and the languages that people read them in. Nothing in it
// decides.
package words

import "time"

// A CodeMail brings a one-time code. It is also the consent page: giving the
// code approves what it lists.
type CodeMail struct {
	App    string // what the person signs in to
	Client Text   // who asks, in the words of [ClientName]
	Where  Text   // where the client is, in the words of [Place]
	Email  string
	Code   string
	Time   time.Time     // when it was asked for
	Lives  time.Duration // how long the code does
	Scopes []Text        // what the client may do then, in the operator's words
	Link   string        // to a page which asks for the pairing code of the chat instead
}

// Letter returns the mail.
func (m CodeMail) Letter() Letter {
	l := Letter{
		Subject: T("Sign in to {app}", "app", m.App),
		Lines: []Text{
			T("Someone, you we hope, asked to sign in to {app} as {email}.", "app", m.App, "email", m.Email),
			T("Give this code to your assistant:"),
		},
		Code:  m.Code,
		After: []Text{T("It works once, for {span}, and only in the chat that asked for it.", "span", m.Lives)},
		Facts: []Fact{{T("Who asks:"), List([]Text{m.Client, m.Where})}, when(m.Time)},
		Notes: []Text{T("Apps choose their names themselves; nobody has checked this one."),
			T("Giving the code lets that app act as you in {app}.", "app", m.App)},
		Links: []Link{{T("Instead of giving the code, you can type the pairing code that your chat shows on this page:"), T("Open the page"), m.Link}},
		Foot:  T("If you did not start this, ignore this mail: without the code nobody gets in. Never give the code to a person, or to a chat that you did not start, and never type a pairing code that somebody has sent you."),
	}
	if len(m.Scopes) > 0 {
		l.Notes[1], l.List = T("Giving the code lets that app act as you in {app}, and:", "app", m.App), m.Scopes
	}
	return l
}

func when(at time.Time) Fact { return Fact{T("When:"), Moment(at)} }

// A BrowserMail brings a one-time code for a page of the server.
type BrowserMail struct {
	App   string // what the person signs in to
	Email string
	Code  string
	Time  time.Time     // when it was asked for
	Lives time.Duration // how long the code does
}

// Letter returns the mail.
func (m BrowserMail) Letter() Letter {
	return Letter{
		Subject: T("Sign in to {app}", "app", m.App),
		Lines: []Text{
			T("Someone, you we hope, wants to sign in to {app} as {email}, on our page in a browser.", "app", m.App, "email", m.Email),
			T("Type this code into that page:"),
		},
		Code:  m.Code,
		After: []Text{T("It works once, for {span}, and only in the browser that asked for it.", "span", m.Lives)},
		Facts: []Fact{when(m.Time)},
		Foot:  T("If you did not start this, ignore this mail: without the code nobody gets in. Never give the code to a person, or to a chat: this one is for our page alone."),
	}
}

// A ConnectedMail says that a client acts for a person from now on. No line of its
// text is digits alone: it brings no code.
type ConnectedMail struct {
	App        string
	Client     Text
	Where      Text
	Email      string
	Time       time.Time
	Approved   Text   // how, in the words of [Approval]
	Scopes     []Text // what the client may do, in the operator's words
	Disconnect string // URL of a page that ends it
	Account    string // URL of the connected apps
}

// Letter returns the mail. The subject names no client: clients choose their names.
func (m ConnectedMail) Letter() Letter {
	l := Letter{
		Subject: T("An app was connected to {app}", "app", m.App),
		Lines: []Text{T("{client}, {place}, is now connected to {app} and acts as {email}.", "client", m.Client, "place", m.Where, "app", m.App, "email", m.Email),
			T("If that was you, there is nothing to do.")},
		Facts: []Fact{when(m.Time), {T("Approved:"), m.Approved}},
		Notes: []Text{T("Apps choose their names themselves; nobody has checked this one.")},
		Links: []Link{
			{T("If that was not you, disconnect it on this page. That takes no sign-in, and works for a day:"), T("Disconnect it"), m.Disconnect},
			{T("All that is connected to your account, at any time:"), T("Connected apps"), m.Account},
		},
	}
	if len(m.Scopes) > 0 {
		l.Notes, l.List = append(l.Notes, T("It may:")), m.Scopes
	}
	return l
}

// A ReusedMail says that a grant ended because one of its refresh tokens came
// back.
type ReusedMail struct {
	App    string
	Client Text
	Where  Text
	Email  string
	Time   time.Time
}

// Letter returns the mail.
func (m ReusedMail) Letter() Letter {
	return Letter{
		Subject: T("You were signed out of {app}", "app", m.App),
		Lines: []Text{
			T("{client}, {place}, was connected to {app} as {email}.", "client", m.Client, "place", m.Where, "app", m.App, "email", m.Email),
			T("On {time} it presented a key that it had already traded for a newer one. That happens when someone else holds a copy of the key, and sometimes when an app restores an old backup. We cannot tell which, so we ended the connection for everyone who held it.", "time", m.Time),
			T("To go on, connect the app again and sign in. If apps that you do not know may have had access to that device, look at what changed in {app} lately.", "app", m.App),
		},
	}
}

// A LeavingMail says that a user is about to be deleted, and how to stay.
type LeavingMail struct {
	App     string
	Email   string
	Account string // URL of the page
	Asked   time.Time
	Until   time.Time // it can be taken back before
}

// Letter returns the mail.
func (m LeavingMail) Letter() Letter {
	return Letter{
		Subject: T("Your account in {app} will be deleted", "app", m.App),
		Lines: []Text{
			T("Your account in {app}, {email}, will be deleted on {time}.", "app", m.App, "email", m.Email, "time", m.Until),
			T("You asked for that on {time}, or those who run {app} did. No app can act as you any more. What is kept of you stays until that moment, and is then deleted for good: nobody can bring it back.", "time", m.Asked, "app", m.App),
		},
		Links: []Link{{T("If you want to keep your account, sign in on this page before then, and press “Keep my account”. You can also download your data there:"), T("Your account"), m.Account}},
	}
}
