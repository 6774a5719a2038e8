package words

import "example.com/foyer/store"

// Approval says how a person approved what a client may do.
func Approval(by string) Text {
	switch by {
	case "mail":
		return T("in the chat, with the code from a mail")
	case "link":
		return T("with the link from a mail, and the pairing code of the chat")
	case "browser":
		return T("in the browser")
	}
	return T("nobody knows how")
}

// Level says how a user was authenticated.
func Level(level string) Text {
	switch level {
	case "chat":
		return T("with a code that was typed in the chat")
	case "email":
		return T("with a code that was typed on a page here")
	}
	return T("by {level}", "level", level)
}

// Happened says what an event was about, in which client, in words for its user;
// scopes are in the operator's words. It returns nothing for what says nothing to a
// person.
func Happened(e store.Event, client Text, scopes []Text) Text {
	switch e.Kind {
	case store.EventSessionOpened:
		return T("Signed in in a browser")
	case store.EventSessionEnded:
		return T("Signed out in a browser")
	case store.EventRolesSet:
		return T("The roles of this account were set")
	case store.EventUserLeaves:
		return T("This account was to be deleted")
	case store.EventUserKept:
		return T("This account was kept, and is not deleted")
	case store.EventUserExported:
		return copied(e)
	case store.EventGrantStarted:
		return T("{client} was connected, in the browser", "client", client)
	case store.EventGrantClaimed:
		return T("{client} was connected, in the chat, by a mail", "client", client)
	case store.EventGrantSignedOut:
		return T("{client} was signed out", "client", client)
	case store.EventGrantRevoked:
		return ended(e, client)
	case store.EventGrantElevated:
		return T("{client} may do more, until {until}", "client", client, "until", e.Until)
	case store.EventGrantLowered:
		return T("{client} may no longer do what it was given for a while", "client", client)
	case store.EventGrantWidened:
		return T("{client} was given more here: {scopes}", "client", client, "scopes", Quoted(scopes))
	case store.EventGrantNarrowed:
		return T("From {client} was taken back here: {scopes}", "client", client, "scopes", Quoted(scopes))
	case store.EventOperationConfirmed:
		return T("Something that {client} asked for was confirmed here", "client", client)
	case store.EventOperationBegun:
		return T("Something that {client} asked for was begun", "client", client)
	case store.EventOperationEnded:
		if e.By == store.ByUser {
			return T("Something that {client} asked for was denied here", "client", client)
		}
	}
	return Text{}
}

// copied says who has taken a copy.
func copied(e store.Event) Text {
	if e.By == store.ByApp {
		return T("A copy of the data was made by those who run this server")
	}
	return T("A copy of the data was downloaded")
}

// ended says why a client lost its grant.
func ended(e store.Event, client Text) Text {
	switch {
	case e.Reason == store.ReasonContinued:
		return T("{client} was connected anew, and its older connection ended", "client", client)
	case e.Reason != "":
		return T("{client} was disconnected, because somebody else may have had a copy of its keys", "client", client)
	case e.By == store.ByUser:
		return T("{client} was disconnected here", "client", client)
	case e.By == store.ByClient:
		return T("{client} disconnected itself", "client", client)
	}
	return T("{client} was disconnected by those who run this server", "client", client)
}
