package foyer

import (
	"net/http"

	"example.com/foyer/gate"
	"example.com/foyer/internal/pages"
)

// A Consent is what a client asks of a user, for [Config.Consent] to show. An answer is
// a POST to /consent from a form, with all of Hidden; with "decision", which is "allow",
// "deny", or "other" for a sign-in with another account; and with one "scope" for each
// that is allowed. Where Guest is set, a POST to /authorize with "request" of Hidden
// lets the client in as a guest. A form is good for half an hour, in the browser that
// got it, for the user who was signed in: others are refused, on a page of ours.
type Consent struct {
	App     string            // what people call what they sign in to
	Client  string            // what the client calls itself, without tricks; it may be empty, and nobody has checked it
	Listed  bool              // it is one of Config.Clients
	From    string            // host whose metadata document describes the client, which that proves; empty for others
	Host    string            // where it is sent, such as "claude.ai" or "127.0.0.1:33418"
	Device  bool              // Host is the device of who sits there: any program on it may listen
	Account string            // for whom it would act, such as "a***@example.com"
	Scopes  gate.Scopes       // what it asks for
	Ticked  []string          // those that should be ticked at first
	Kept    []string          // scopes that it has already, and keeps whatever is answered
	Guest   bool              // it may be let in as a guest instead
	Hidden  map[string]string // names and values of the form
}

// consent is that of the pages.
func (k *Kit) consent() func(http.ResponseWriter, *http.Request, pages.Ask) {
	if k.cfg.Consent == nil {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request, ask pages.Ask) { k.cfg.Consent(w, r, Consent(ask)) }
}
