package words

import (
	"fmt"
	"strings"
	"time"
)

// Names of the tools that confirm.
const (
	ConfirmRequest  = "confirm_request"
	OperationStatus = "operation_status"
	CancelRequest   = "cancel_request"
)

// What the tools that confirm are for.
const (
	ConfirmDescription = "Do what a tool has shown as a preview. Call it only after the user has seen the summary and said yes to it. " +
		"Pass the confirmationToken of the preview. It works once, for five minutes; calling it again with the same token is safe, and returns the same answer without doing anything again."
	StatusDescription = "Tell what came of something that was shown as a preview: whether it waits for a confirmation, was done, or was not. Without confirmationToken it lists what waits. Changes nothing."
	CancelDescription = "Drop what a tool has shown as a preview, when the user does not want it. Nothing is done then."
)

// What the tools that confirm answer.
const (
	TokenMissing = "Nothing was done: confirmationToken is missing. Pass the one from the preview; if there is none, call the tool itself first."
	TokenGone    = "Nothing was done: this confirmationToken has expired, was used in another connection, or never was. Call the tool itself again for a new preview, and show it to the user."
	KeyTooLong   = "Nothing was done: idempotencyKey has more than 255 bytes. Leave it out, or use a shorter one."
	Rekeyed      = "Nothing was done now: this was confirmed under another idempotencyKey. Call operation_status with the confirmationToken to see what came of it."
	KeyUsed      = "Nothing was done: this idempotencyKey was used for something else. Call again with a new one, or without."
	TooManyOpen  = "Nothing was done: too many previews wait for a confirmation. Confirm or cancel some first; call operation_status to see them."
	JustDeclined = "Nothing was done: the user has just said no to exactly this. Do not ask for it again unless they say that they want it now; it can be shown again in ten minutes."
	Running      = "It is being done at this moment, and cannot be stopped. Call operation_status with the confirmationToken to see what comes of it."
	ConfirmFault = "The server failed, and nothing was done. Try once more in a moment, then tell the user."
)

// Shown shows what a confirmation by the model would do.
func Shown(status, summary, account, token string, left time.Duration) string {
	return shown(status, summary, account) + "Show this to the user. Only if they say yes, call confirm_request with confirmationToken " + token + "; if they say no, call cancel_request. " + works(left)
}

// ShownForClient shows what the user has to confirm in their client.
func ShownForClient(status, summary, account, token string, left time.Duration) string {
	return shown(status, summary, account) + "Call confirm_request with confirmationToken " + token + ": the user is then asked by their client. " + works(left)
}

// ShownForPage shows what the user has to confirm on a page.
func ShownForPage(status, summary, account, token, link string, left time.Duration) string {
	return shown(status, summary, account) + "Ask the user to open " + link + " and to confirm it there; then call confirm_request with confirmationToken " + token + ". " + works(left)
}

func shown(status, summary, account string) string {
	text := "Nothing was done yet. "
	switch status {
	case "stale":
		text = "Nothing was done: it is not what was shown any more. This is what would be done now. "
	case "needs_page":
		text = "Nothing was done yet: the user has not confirmed it on the page. "
	}
	text += "What would be done: " + summary + "."
	if account != "" {
		text += " Account: " + account + "."
	}
	return text + " "
}

func works(left time.Duration) string { return "It works once, for " + span(left) + "." }

// TooMuch refuses arguments that are too large to be kept until somebody confirms.
func TooMuch(tool string) string {
	return "Nothing was done: the arguments are too large. What " + tool + " is to do is kept until it is confirmed, and may have 256 KiB. Do it in several parts."
}

// TooManyPreviews refuses another preview for now.
func TooManyPreviews(tool string, wait time.Duration) string {
	return "Nothing was done: " + tool + " showed nothing, because this connection has asked for too many previews in a short time. Call it again in " + span(wait) +
		", and not before. What was shown already can be confirmed or cancelled now."
}

// TooLongToShow tells that the user would say yes to what they cannot see.
func TooLongToShow(tool string) string {
	return "Nothing was done: the user has to confirm " + tool + ", and these arguments are too long to be shown to them whole. Use fewer words, or do it in several parts."
}

// ConfirmQuestion is what the client asks the user.
func ConfirmQuestion(summary, account, app string) string {
	if account == "" {
		return summary + "? In " + app + "."
	}
	return summary + "? In " + app + ", for the account of " + account + "."
}

// PageQuestion asks the user to open the page on which they confirm.
func PageQuestion(summary, app string) string {
	return app + " asks you to confirm this on its own page: " + summary + "."
}

// Done tells what was done. text is what the tool says about it; it may be empty.
func Done(summary, text string) string {
	if text == "" {
		return "Done: " + summary + "."
	}
	return "Done: " + summary + ". " + text
}

// Undone tells that nothing was done. text says why; it may be empty.
func Undone(summary, text string) string {
	if text == "" {
		return "Nothing was done: " + summary + " did not work. Call the tool again for a new preview if the user still wants it."
	}
	return "Nothing was done: " + summary + ". The reason: " + strings.TrimSuffix(text, ".") + ". Call the tool again for a new preview if the user still wants it."
}

// FoundUndone tells that something turned out not to have been done.
func FoundUndone(summary string) string {
	return "It turned out that nothing was done: " + summary + ". Call the tool again for a new preview if the user still wants it."
}

// NobodyKnows tells that something may have been done.
func NobodyKnows(summary string) string {
	return "Nobody can say whether this was done: " + summary + ". Do not do it again. Look first whether it was, with the other tools, and tell the user."
}

// BeingDone tells to ask again.
func BeingDone(summary string, wait time.Duration) string {
	return "It is being done: " + summary + ". Call confirm_request or operation_status with the same confirmationToken in " + span(wait) + "; it is not done twice."
}

// SaidNo tells that the user did not want it.
func SaidNo(summary string) string {
	return "Nothing was done: the user said no to this: " + summary + ". Do not ask again unless they want it."
}

// CancelledBefore tells that it was dropped.
func CancelledBefore(summary string) string {
	return "Nothing was done, and nothing will be: " + summary + " was dropped."
}

// Outdated tells that something is not what was shown any more.
func Outdated(summary, tool string) string {
	return "Nothing was done: this is not what would be done any more: " + summary + ". Call " + tool + " again for a new preview."
}

// NotPossibleNow tells that something was shown that is refused by now. reason says
// why, and what to do.
func NotPossibleNow(summary, reason string) string {
	return "Nothing was done: this cannot be done now: " + summary + ". " + reason
}

// ClientCannotConfirm refuses what the user has to confirm in a client that cannot
// ask.
func ClientCannotConfirm(tool string) string {
	return "Nothing was done: " + tool + " is done only when the user confirms it in their client, and this client cannot put questions (MCP elicitation). Tell the user that it needs another client."
}

// NotAnswered tells that the user closed the question.
func NotAnswered(tool string) string {
	return "Nothing was done: the user did not answer whether " + tool + " should go on. Ask them; if they want it, call confirm_request again."
}

// GuestsHaveNoPage refuses to a guest what its user confirms on a page.
func GuestsHaveNoPage(tool string) string {
	return "Nothing was done: " + tool + " is done only when its user confirms it on a page, and nobody is signed in. If the user wants it, ask them for their e-mail address and call authenticate; after the sign-in call " + tool + " again."
}

// NoPage refuses what is confirmed on a page, where there is none.
func NoPage(tool string) string {
	return "Nothing was done: " + tool + " is done only when the user confirms it on a page, and this server has none. Tell the user."
}

// OpenOperations lists what waits for a confirmation.
func OpenOperations(summaries []string) string {
	if len(summaries) == 0 {
		return "Nothing waits for a confirmation."
	}
	return fmt.Sprintf("%d waiting for a confirmation: %s.", len(summaries), strings.Join(summaries, "; "))
}
