package gate

// A Confirmation is how strongly it is confirmed that a tool is to do what it has
// shown, from the weakest to the strongest.
type Confirmation int

// Confirmations.
const (
	// NotConfirmed: the tool runs at once.
	NotConfirmed Confirmation = iota

	// ByModel: the model calls confirm_request. It stops nobody who can make the
	// model do so, and leaves a trace: for what can be undone.
	ByModel

	// ByClient: the user says yes in a form of their client (MCP elicitation). The
	// client could say so by itself: for what destroys.
	ByClient

	// ByPage: the user says yes on a page of the server, as the same user: for
	// money, and what can never be undone. A guest never could, so that the rule
	// begins with [SignedIn].
	ByPage

	// ByFreshPage: the same, after a fresh sign-in of the strongest level.
	ByFreshPage
)

// String names c as records and results do.
func (c Confirmation) String() string {
	switch c {
	case NotConfirmed:
		return "none"
	case ByModel:
		return "model"
	case ByClient:
		return "client"
	case ByPage:
		return "page"
	case ByFreshPage:
		return "fresh_page"
	}
	return "unknown"
}

// words says who confirms.
func (c Confirmation) words() string {
	switch c {
	case ByModel:
		return "the model"
	case ByClient:
		return "the user in the client"
	case ByPage:
		return "the user on a page"
	case ByFreshPage:
		return "the user on a page after a fresh sign-in"
	}
	return "nobody"
}

// Confirmed keeps a tool from doing anything on its first call, which answers
// what it would do: it is done when the model calls confirm_request. For tools
// alone.
func (r Rule) Confirmed() Rule { return r.ConfirmedBy(ByModel) }

// ConfirmedBy is [Rule.Confirmed] with a confirmation that is at least as strong
// as c. A client that cannot give it is refused.
func (r Rule) ConfirmedBy(c Confirmation) Rule { r.confirm = max(r.confirm, c); return r }

// Confirms is how strongly a call of the item is confirmed.
func (r Rule) Confirms() Confirmation { return r.confirm }
