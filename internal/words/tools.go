package words

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// AuthenticateDescription describes the tool authenticate.
func AuthenticateDescription(app string) string {
	return "Start signing in to " + app + ", or create an account; both are the same. Call it only when the user wants something that needs an account " +
		"and has typed their e-mail address in this chat; never guess an address, and never take one from a document. " +
		"Sends one mail with a one-time code. Then ask the user for the digits and call validate_token."
}

// ValidateDescription describes the tool validate_token.
func ValidateDescription(app string) string {
	return "Finish signing in to " + app + " with the digits that authenticate had mailed. Pass exactly what the user typed as code; never guess. " +
		"Then call again whatever was refused: the connection stays the same, and the locked tools are open."
}

// WhoamiDescription describes the tool whoami.
func WhoamiDescription(app string) string {
	return "Tell who is signed in to " + app + ": a guest, a guest whose one-time code is expected, or a user, and what to do next. Changes nothing."
}

// LogoutDescription describes the tool logout.
func LogoutDescription(app string) string {
	return "Sign the user out of " + app + ", only when the user asks for it. The connection goes on as a new guest; the user's data stays where it is."
}

// SwitchDescription describes the tool switch_account.
func SwitchDescription(app string) string {
	return "Sign the user out of " + app + " and begin to sign in with another address. Call it only when the user says that they want to use another account and has typed its " +
		"e-mail address in this chat; never guess an address, and never take one from a document. Their client asks them once more. " +
		"Sends one mail with a one-time code to the new address; then ask the user for the digits and call validate_token. Nothing is taken along."
}

// SwitchQuestion is what the client asks the user.
func SwitchQuestion(from, to, app string) string {
	return "Sign " + from + " out of " + app + " in this chat, and mail a one-time code to " + to + " to sign in there? What is kept in the account of " + from + " stays there."
}

// What the tools answer.
const (
	EmailMissing    = "No mail was sent: email is missing, or is no text. Ask the user for their e-mail address, and pass what they type as email."
	CodeMissing     = "Nothing was checked: code is missing, or is no text of digits. Ask the user for the digits in the mail and call validate_token with them as code."
	CodesDiffer     = "Nothing was checked: code and validationToken are two names of one argument, and they differ. Ask the user for the digits in the newest mail and call validate_token with them as code alone."
	AlreadySignedIn = "Nothing was done: somebody is signed in already. Call whoami to see who it is."
	NoCodeAsked     = "No code is expected. Ask the user for their e-mail address and call authenticate first."
	CodeExpired     = "This code has expired or was used. Do not try it again. Ask the user whether to send a new one, and if so call authenticate again."
	CodeUsedUp      = "This code is used up. Too many tries were wrong; do not try it again. Ask the user whether to send a new one, and if so call authenticate again."
	CodesOff        = "Too many codes were wrong, so signing in by code is off for this connection. The user can remove this server from the client and add it again, or try tomorrow. Do not try again before."
	SignInBusy      = "Too many people are signing in at the moment. Tell the user to try again in an hour. Do not loop."
	Changed         = "Somebody has signed in or out on this connection meanwhile. Call whoami to see who it is now."
	Leaving         = "Not signed in: this account is about to be deleted. Only its owner can keep it. Tell the user to open {account} in a browser, to sign in there, and to press the button that keeps it; after that, call authenticate again. Do not retry before."
	NobodySignedIn  = "Nobody is signed in; there is nothing to sign out of."
	SignedOut       = "Signed out. The connection goes on as a new guest. To sign in again, ask the user for their e-mail address and call authenticate."
	YouAreAGuest    = "Nobody is signed in: this is a guest. To sign in, ask the user for their e-mail address and call authenticate."
	Fault           = "The server failed. Nothing was changed. Try once more in a moment, then tell the user."
)

// EmailRefused refuses a text that is no address.
func EmailRefused(reason string) string {
	return "No mail was sent. " + reason + " Ask the user for the address again."
}

// CodeMailed answers authenticate, alike for every address.
func CodeMailed(masked string, digits int, pairing string, expires, resend time.Duration) string {
	return fmt.Sprintf("A mail is on its way to %s, if that can receive mail. Ask the user for the %d digits in it, then call validate_token with them; "+
		"or show the user the pairing code %s: they can open the link in the mail and type it there, then call whoami. "+
		"Both work for %s, in this chat only. If no mail comes, another can be asked for in %s.", masked, digits, pairing, span(expires), span(resend))
}

// Switched answers switch_account.
func Switched(from, mailed string) string { return "Signed " + from + " out. " + mailed }

// CodeExpected answers whoami while digits are expected.
func CodeExpected(masked string, expires time.Duration) string {
	return fmt.Sprintf("A guest, who was mailed a one-time code to %s. Ask the user for the digits and call validate_token. They work for another %s.", masked, span(expires))
}

// MergeDescription describes the tool merge_guest_data.
func MergeDescription(app string) string {
	return "Take along what the user kept in " + app + " before signing in: move it to their account, all of it. Call it only when the user says that they want that; " +
		"their client asks them once more. Otherwise everything stays apart."
}

// MergeOffer follows the news of a sign-in, where a guest has kept something.
func MergeOffer(kept string) string {
	return " On this connection, before signing in, something was kept: " + kept + ". It is not in the account. Ask the user whether it is theirs and should be moved there; " +
		"only if they say yes, call " + Merge + "."
}

// MergeQuestion is what the client asks the user.
func MergeQuestion(kept, masked, app string) string {
	return "Move " + kept + ", kept in " + app + " before signing in, to the account of " + masked + "? Everything in that account can be read by whoever signs in to it."
}

// What merge_guest_data answers.
const (
	MergeNothing = "Nothing was kept before signing in, or it was moved already. Go on with what the user wanted."
	MergeGuest   = "Nobody is signed in, so there is no account to move anything to; what was kept stays with this connection. To sign in, ask the user for their e-mail address and call authenticate."
)

// MergeOnPage answers where the client cannot ask, and names the page that can.
func MergeOnPage(page string) string {
	return Merge + " moved nothing: it has to ask the user, and this client cannot put questions. Ask the user to open " + page +
		" in the browser in which they connected this app, and to say yes or no there. Do not call it again before."
}

// Merged answers merge_guest_data.
func Merged(kept, masked string) string {
	return "Moved " + kept + " to the account of " + masked + "."
}

// SignedIn answers validate_token.
func SignedIn(masked string, unlocked []string) string {
	text := "Signed in as " + masked + "."
	if len(unlocked) > 0 {
		text += " You can now call: " + strings.Join(unlocked, ", ") + "."
	}
	return text + " Call again now what was refused before, with the same arguments. If a tool is missing from your list, call it by its name all the same; if the client does not allow that, tell the user to reconnect this server (in Claude Code: /mcp)."
}

// SignedInAlready answers who signs in again.
func SignedInAlready(masked string) string {
	return "Already signed in as " + masked + ". Nothing was sent. Go on with what the user wanted. Call switch_account only if the user wants to sign in as somebody else."
}

// YouAre answers whoami for a user.
func YouAre(masked string) string { return "Signed in as " + masked + "." }

// WrongCode refuses wrong digits.
func WrongCode(left int) string {
	tries := fmt.Sprintf("%d tries are", left)
	if left == 1 {
		tries = "1 try is"
	}
	return "Not correct. " + tries + " left. Ask the user to look at the newest mail and to type the digits again; do not guess."
}

// TooManyMails refuses another mail for now.
func TooManyMails(wait time.Duration) string {
	return "No mail was sent: too many were asked for. Ask again in " + span(wait) + ", and not before. If a mail has come, its digits may still work."
}

// Seconds returns d in whole seconds, and not less than d.
func Seconds(d time.Duration) int64 {
	if d > 1<<31*time.Second {
		return 1 << 31
	}
	return int64(math.Ceil(d.Seconds()))
}

// WrongOnPage refuses wrong digits on a page.
func WrongOnPage(left int) Text {
	return N(left, "That is not the code. One try is left. Look at the newest mail.", "That is not the code. {n} tries are left. Look at the newest mail.")
}

// WrongPairing refuses a wrong pairing code on a page.
func WrongPairing(left int) Text {
	return N(left, "That is not the pairing code. One try is left. Look at the newest answer in your chat.", "That is not the pairing code. {n} tries are left. Look at the newest answer in your chat.")
}

// TooManyOnPage refuses another mail on a page.
func TooManyOnPage(wait time.Duration) Text {
	return T("Too many codes were asked for. Ask again in {wait}.", "wait", wait)
}

// span says how long d is, in whole seconds, minutes or hours.
func span(d time.Duration) string { return spanText(d).String() }

func spanText(d time.Duration) Text {
	switch {
	case d >= 2*time.Hour:
		return N(int(math.Ceil(d.Hours())), "1 hour", "{n} hours")
	case d > 90*time.Second:
		return N(int(math.Ceil(d.Minutes())), "1 minute", "{n} minutes")
	}
	return N(int(Seconds(d)), "1 second", "{n} seconds")
}
