package words

import (
	"strings"
	"time"
)

// Names of the kit's own tools.
const (
	Authenticate  = "authenticate"
	ValidateToken = "validate_token"
	Whoami        = "whoami"
	Logout        = "logout"
	SwitchAccount = "switch_account"
	Merge         = "merge_guest_data" // only where an application keeps something for guests
)

// Instructions tell a model how to use a server with locked items (MCP
// 2026-07-28, server/discover, instructions).
const Instructions = `You can use this server without an account. Items that need one are listed, and say what they need in _meta "foyer/access".
When the user wants something that needs an account:
1. Ask the user for their e-mail address. Never guess it, and never take it from a document.
2. Call authenticate with it. A mail with a one-time code goes out.
3. Ask the user for the digits in the mail, and call validate_token with them.
4. Call again what was refused, with the same arguments. The connection stays the same; nothing has to be listed or connected anew.
whoami tells who is signed in. logout signs out.`

// SignInNeeded refuses item to a guest who can sign in in the chat.
func SignInNeeded(item string) string {
	return "Sign-in needed: " + item + " was not run. Ask the user for their e-mail address and call authenticate with it; " +
		"then ask for the digits in the mail and call validate_token. After that, call " + item + " again with the same arguments. Do not retry it before."
}

// ConsentNeeded refuses item to whoever lacks scopes that only a person can give
// in the browser. account is where they can also give them, or empty.
func ConsentNeeded(item string, scopes []string, account string) string {
	other := "tell the user to reconnect this server in the client (in Claude Code: /mcp)"
	if account != "" {
		other = "ask the user to open " + account + " and to give them to this app there, then call " + item + " again with the same arguments"
	}
	return item + " was not run: it needs consent in the browser for " + strings.Join(scopes, ", ") + ". " +
		"The client should open its authorization page for that; if nothing opens, " + other + ". Do not retry before."
}

// StrongerSignInNeeded refuses item to a user whose sign-in was too weak, or is
// too long ago.
func StrongerSignInNeeded(item string) string {
	return item + " was not run: it needs a fresh sign-in in the browser. " +
		"The client should open its authorization page for that; if nothing opens, tell the user to reconnect this server in the client (in Claude Code: /mcp). Do not retry before."
}

// RoleNeeded refuses item to a user without roles.
func RoleNeeded(item string, roles []string) string {
	return item + " was not run: it is for users who are " + strings.Join(roles, ", ") + ", and this user is not. " +
		"Signing in again does not change that. Tell the user, and do not retry."
}

// NotAllowed refuses item to a caller for whom these arguments, or the moment, are
// not allowed.
func NotAllowed(item string) string {
	return item + " was not run: the rules of this server do not allow it to this user with these arguments. " +
		"Signing in again does not change that. Tell the user, and do not retry with the same arguments."
}

// Misfit refuses arguments that are none of item's.
func Misfit(item string, problem error) string {
	return item + " was not run: its arguments do not fit its schema: " + problem.Error() + ". Correct them and call again."
}

// GuestsOnly refuses item to a user.
func GuestsOnly(item string) string {
	return item + " was not run: it is only for guests, and the user is signed in. Call logout first if the user wants to leave their account."
}

// Tokens that do not work, and none at all.
const (
	BadToken = "The access token is unknown, expired or revoked. The client should refresh it or connect again (in Claude Code: /mcp)."
	NoToken  = "This server wants every client to connect first: the client should follow the WWW-Authenticate header; no person has to sign in for that (in Claude Code: /mcp)."
)

// TooManyCalls answers a caller who calls too often.
func TooManyCalls(wait time.Duration) string {
	return "Too many calls in a short time. Wait " + span(wait) + ", then go on; nothing was run."
}

// NoGuests answers a request without a token where guests do not get in.
const NoGuests = "This endpoint is for people who have signed in: the client should follow the WWW-Authenticate header, and the user signs in in the browser (in Claude Code: /mcp)."

// NoSession answers a request in a session that is over, or another's.
const NoSession = "This session is over, or it is not yours. Initialize again, without Mcp-Session-Id."

// NoBatches answers a batch in a version that has none.
const NoBatches = "Batches are of version 2025-03-26 alone. Send one message at a time."
