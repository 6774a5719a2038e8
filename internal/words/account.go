package words

import (
	"strings"
	"time"

	"example.com/foyer/store"
)

// Moment says when t is, to the minute.
func Moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04") + " UTC" }

// Quoted says some texts, each in quotation marks.
func Quoted(texts []string) string {
	return "“" + strings.Join(texts, "”, “") + "”"
}

// Approval says how a person approved what a client may do.
func Approval(by string) string {
	switch by {
	case "mail":
		return "in the chat, with the code from a mail"
	case "browser":
		return "in the browser"
	}
	return "nobody knows how"
}

// Level says how a user was authenticated.
func Level(level string) string {
	switch level {
	case "chat":
		return "with a code that was typed in the chat"
	case "email":
		return "with a code that was typed on a page here"
	}
	return "by " + level
}

// Happened says what an event was about, in which client, in words for its user;
// scopes are in the operator's words. It returns "" for what says nothing to a person.
func Happened(e store.Event, client string, scopes []string) string {
	switch e.Kind {
	case store.EventSessionOpened:
		return "Signed in in a browser"
	case store.EventSessionEnded:
		return "Signed out in a browser"
	case store.EventRolesSet:
		return "The roles of this account were set"
	case store.EventUserLeaves:
		return "This account was to be deleted" + byWhom(e)
	case store.EventUserKept:
		return "This account was kept, and is not deleted" + byWhom(e)
	case store.EventUserExported:
		return "A copy of the data was downloaded" + byWhom(e)
	case store.EventGrantStarted:
		return client + " was connected, in the browser"
	case store.EventGrantClaimed:
		return client + " was connected, in the chat, with the code from a mail"
	case store.EventGrantSignedOut:
		return client + " was signed out"
	case store.EventGrantRevoked:
		return client + ended(e)
	case store.EventGrantElevated:
		return client + " may do more, until " + Moment(e.Until)
	case store.EventGrantLowered:
		return client + " may no longer do what it was given for a while"
	case store.EventGrantWidened:
		return client + " was given more here: " + Quoted(scopes)
	case store.EventGrantNarrowed:
		return "From " + client + " was taken back here: " + Quoted(scopes)
	case store.EventOperationBegun:
		return "Something that " + client + " asked for was confirmed"
	}
	return ""
}

// byWhom says who did something, if it was not the user.
func byWhom(e store.Event) string {
	if e.By == store.ByApp {
		return ", by those who run this server"
	}
	return ""
}

// ended says why a client lost its grant.
func ended(e store.Event) string {
	switch {
	case e.Reason == store.ReasonContinued:
		return " was connected anew, and its older connection ended"
	case e.Reason != "":
		return " was disconnected, because somebody else may have had a copy of its keys"
	case e.By == store.ByUser:
		return " was disconnected here"
	case e.By == store.ByClient:
		return " disconnected itself"
	}
	return " was disconnected by those who run this server"
}
