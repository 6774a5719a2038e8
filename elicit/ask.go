package elicit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// An Ask puts the questions of one call. It is not safe for concurrent use, and
// ends with the handler.
type Ask struct {
	ctx    context.Context
	id     string
	caps   *mcp.ElicitationCapabilities // nil for a client that cannot ask
	urls   bool                         // whether the protocol has them
	put    func(question) (answer, error)
	rounds *rounds // nil where there are sessions
	asked  map[string]bool
	needs  *mcp.ElicitationCapabilities // that the client lacks
}

// A question is put to the user.
type question struct {
	name   string
	params mcp.ElicitParams
	digest string                                        // of params: an answer is for this question, in these words
	read   func(map[string]any) (json.RawMessage, error) // the answer, or a misfit
}

// An answer is what the client said that the user said.
type answer struct {
	Question string          `json:"q"` // digest of what was asked
	Declined bool            `json:"d,omitempty"`
	Left     bool            `json:"l,omitempty"` // declined without a no
	Value    json.RawMessage `json:"v,omitempty"`
}

// begin reads what came with req, and refuses what this server did not ask.
func (q *Questions) begin(ctx context.Context, req *mcp.CallToolRequest) (*Ask, error) {
	ask := &Ask{ctx: ctx, asked: map[string]bool{}}
	caller := gate.CallerFrom(ctx)
	// A session is of one version, whatever the _meta of a request claims.
	if p := req.Session.InitializeParams(); p != nil && p.ProtocolVersion < modern {
		if p.Capabilities != nil && p.ProtocolVersion >= "2025-06-18" {
			ask.caps, ask.urls = p.Capabilities.Elicitation, p.ProtocolVersion >= "2025-11-25"
		}
		s := &session{q: q, ctx: ctx, peer: req.Session, caller: caller}
		ask.id, ask.put = rand.Text(), s.put
		return ask, s.start()
	}
	if c := req.ClientCapabilities(); c != nil {
		ask.caps, ask.urls = c.Elicitation, true
	}
	r, err := q.open(ctx, req.Params, caller)
	if err != nil {
		return nil, err
	}
	ask.id, ask.put, ask.rounds = r.state.Call, r.put, r
	return ask, nil
}

// ID names this call, the same in every round of it: 130 random bits. It tells
// calls apart in URLs and in records of the application, and proves nothing
// about who knows it.
func (a *Ask) ID() string { return a.id }

// Form asks for a T, with a form in the user's client, and returns the answer.
// name is the question's own in this tool: lower-case letters, digits and
// underscores. message is what the user reads; it says who asks, and why.
//
// T is a struct whose exported fields are strings, numbers, bools or
// [time.Time]; nothing else fits into a form. These tags describe a field:
//
//	json:"seat,omitempty"         its name, and that it may be left out
//	jsonschema:"Where you sit"    description
//	title:"Seat"                  label
//	enum:"inside,garden"          of a string: the choices
//	format:"email"                of a string: email, uri, date or date-time
//	min:"1" max:"80"              of a string: characters; of a number: its value
//	default:"inside"              stands in the form already, and may be left out
//
// The server checks the answer against all of them, whatever the client has
// checked, and ignores fields that T does not have. What does not fit is asked
// again, with the reason.
//
// Form returns [ErrDeclined] when the user did not want to answer, which is
// [ErrCancelled], too, where they did not say no, and [ErrUnsupported] when the client has no forms. Every other error is to be
// returned, too; the question may be on its way to the user then.
func Form[T any](a *Ask, name, message string) (T, error) {
	var value T
	f, err := formOf[T]()
	if err != nil {
		return value, fmt.Errorf("%w %q: %w", errQuestion, name, err)
	}
	read := func(content map[string]any) (json.RawMessage, error) {
		raw, err := f.read(content)
		if err != nil {
			return nil, err
		}
		if json.Unmarshal(raw, new(T)) != nil {
			return nil, misfit("a value does not fit")
		}
		return raw, nil
	}
	params := mcp.ElicitParams{Mode: "form", Message: message, RequestedSchema: f.schema}
	got, err := a.ask(question{name: name, params: params, read: read}, a.caps != nil && (a.caps.Form != nil || a.caps.URL == nil),
		&mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}})
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(got.Value, &value); err != nil {
		return value, fmt.Errorf("%w: an answer of ours: %w", errFault, err)
	}
	return value, nil
}

// URL asks the user to open link, a page at https, or at http on this machine.
// It returns nil when they agreed to. That does not say that they opened it, or
// finished what it is for: ask the page, and if it knows nothing yet, return an
// error that tells the model to call again.
//
// link is the same in each run of one call, so what is random in it comes from
// [Ask.ID]. It names nobody, holds no credential and opens nothing by itself:
// whoever opens it may be another person, so the page finds out who that is, and
// compares (MCP 2026-07-28, elicitation, "Phishing"). It cannot sign anyone in to
// this server.
//
// Errors are those of [Form]; URLs exist since 2025-11-25.
func URL(a *Ask, name, message, link string) error {
	if err := checkURL(link); err != nil {
		return fmt.Errorf("%w %q: %w", errQuestion, name, err)
	}
	read := func(map[string]any) (json.RawMessage, error) { return nil, nil }
	_, err := a.ask(question{name: name, params: mcp.ElicitParams{Mode: "url", Message: message, URL: link}, read: read},
		a.urls && a.caps != nil && a.caps.URL != nil,
		&mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}})
	return err
}

func checkURL(link string) error {
	u, err := url.Parse(link)
	switch {
	case err != nil || u.Hostname() == "" || len(link) > 2<<10:
		return errors.New("the URL is no absolute one of at most 2048 bytes")
	case u.User != nil:
		return errors.New("the URL has a user or a password in it")
	case u.Scheme == "https", u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()):
		return nil
	}
	return errors.New("the URL is neither https, nor http on this machine")
}

// ask puts qn, unless the client cannot.
func (a *Ask) ask(qn question, able bool, needs *mcp.ElicitationCapabilities) (answer, error) {
	switch {
	case !named(qn.name):
		return answer{}, fmt.Errorf("%w %q: a name is made of a to z, 0 to 9 and _, at most %d", errQuestion, qn.name, maxName)
	case a.asked[qn.name]:
		return answer{}, fmt.Errorf("%w %q: two questions of this tool have the name", errQuestion, qn.name)
	case qn.params.Message == "" || len(qn.params.Message) > maxMessage:
		return answer{}, fmt.Errorf("%w %q: a message has 1 to %d bytes", errQuestion, qn.name, maxMessage)
	case !able:
		a.needs = needs
		return answer{}, ErrUnsupported
	}
	a.asked[qn.name] = true
	var err error
	if qn.digest, err = digest(qn.params); err != nil {
		return answer{}, fmt.Errorf("%w %q: %w", errQuestion, qn.name, err)
	}
	got, err := a.put(qn)
	switch {
	case err == nil && got.Left:
		err = ErrCancelled
	case err == nil && got.Declined:
		err = ErrDeclined
	}
	return got, err
}

func named(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// digest stands for the JSON of v.
func digest(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// judge reads what came back for qn: an answer, or a misfit.
func (qn question) judge(res *mcp.ElicitResult) (answer, error) {
	if res.Action != "accept" {
		return answer{Question: qn.digest, Declined: true, Left: res.Action == "cancel"}, nil
	}
	value, err := qn.read(res.Content)
	return answer{Question: qn.digest, Value: value}, err
}

// again is what the client is asked after problem, if there is one.
func (qn question) again(problem string) *mcp.ElicitParams {
	p := qn.params
	if problem != "" {
		p.Message = "That does not fit: " + problem + ".\n\n" + p.Message
	}
	return &p
}
