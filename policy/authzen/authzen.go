// Package authzen asks a policy decision point, by the OpenID AuthZEN
// Authorization API 1.0 over HTTPS, about what the tables of rules allow. It is
// a [gate.Decider] for foyer.Config.
//
// # Questions
//
// A call becomes one evaluation, POSTed to /access/v1/evaluation:
//
//	{
//	  "subject": {"type": "user", "id": "USERID", "properties": {
//	    "level": "email", "authenticated_at": "2026-11-21T14:03:00Z",
//	    "scopes": ["guest", "notes:write", "acr:chat", "acr:email"], "roles": ["admin"]}},
//	  "action": {"name": "tools/call"},
//	  "resource": {"type": "tool", "id": "delete_note"},
//	  "context": {"time": "2026-11-21T14:05:00Z", "arguments": {"id": 7}}
//	}
//
// The subject is a "user", a "guest" by the guest ID, or "nobody" by that name,
// who has no token. Scopes and roles are always there, and empty for nobody;
// level and authenticated_at are a user's.
//
// The action is the method of MCP that uses the item: "tools/call",
// "resources/read" or "prompts/get", also for a list, a subscription and a
// completion, so that a list never shows what a call would be denied for its name
// alone.
//
// The resource is a "tool" or a "prompt" by name, or a "resource" by URI, with
// properties.item as the table names it: the URI itself, or the template.
//
// The context has the arguments where they are known: of a call and a prompt, and
// for a template its variables. A list and a completion know none: what only
// arguments can decide is best allowed then.
//
// A list is asked about in one request to /access/v1/evaluations, with the
// subject and the context as defaults, or in a few: see [Config.Batch].
//
// Access tokens and mail addresses of users are never sent, nor are the arguments
// of authenticate and validate_token: an address, and a one-time code. The kit's
// own tools are asked about like others; a policy that denies these two shuts the
// sign-in in the chat.
//
// # Answers
//
// "decision": true allows, false denies. A denial may name what would change it,
// all that the item needs, as scopes; a level is one ("acr:email"):
//
//	{"decision": false, "context": {"scopes": ["notes:export", "acr:email"]}}
//
// A caller who lacks one of them is then sent to the authorization server for
// all. What is no list of at most 20 scopes (RFC 6749 section 3.3), or names only
// what the caller has, is a denial and no more; so is every other context. Reasons
// that the policy gives go nowhere: its own log has them, under the X-Request-ID
// that errors here name too.
//
// Everything else is an error, which denies: no answer in time, another status
// than 200, another type than JSON, an answer that is cut off, too long or not as
// specified, and an allowance with obligations, which nobody here would fulfil.
// Nothing is remembered from one question to the next, neither an allowance nor a
// denial.
package authzen

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/foyer/gate"
)

// Config configures a [Decider]. Fields without "Optional" are required.
// Printed, it shows URL and nothing else.
type Config struct {
	// URL is the policy decision point's base URL, before /access/v1/evaluation:
	// https, or http on localhost or a loopback address. It stands in errors.
	URL string

	// Header is sent with every question: what the policy decision point knows this
	// server by, such as Authorization. Optional.
	Header http.Header `json:"-"`

	// Client makes the connections; its own CheckRedirect is not used, because no
	// redirect is followed. Optional; nil means one like http.DefaultClient, with
	// more idle connections.
	Client *http.Client `json:"-"`

	// Timeout is how long a decision or a list may take, from the question to the
	// last byte of the answer. Optional; zero means 2 seconds.
	Timeout time.Duration

	// Batch is how many evaluations one request may have. A longer list is asked
	// about in several, one after the other, within one Timeout. Optional; zero
	// means 50.
	Batch int
}

const (
	defaultTimeout = 2 * time.Second
	defaultBatch   = 50
	maxInFlight    = 64 // requests at a time; further ones wait for their turn until their time is over
)

// A Decider asks a policy decision point. Safe for concurrent use. Printed, it
// shows the URL and nothing else.
type Decider struct {
	base    string
	header  http.Header
	client  http.Client
	timeout time.Duration
	batch   int
	turns   chan struct{}
}

var _ gate.ListDecider = (*Decider)(nil)

// New returns a Decider, or everything that is wrong with cfg. It asks nothing
// yet: a policy decision point that does not answer denies everything when it is
// asked.
func New(cfg Config) (*Decider, error) {
	problems := []error{checkURL(cfg.URL)}
	if cfg.Timeout < 0 {
		problems = append(problems, fmt.Errorf("Timeout %v is negative", cfg.Timeout))
	}
	if cfg.Batch < 0 {
		problems = append(problems, fmt.Errorf("Batch %d is negative", cfg.Batch))
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Header)) {
		if slices.ContainsFunc(cfg.Header[name], func(v string) bool { return strings.ContainsFunc(v, control) }) {
			problems = append(problems, fmt.Errorf("Header %q: a value has a line break or another control character", name))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("authzen: bad config:\n%w", err)
	}
	d := &Decider{base: strings.TrimSuffix(cfg.URL, "/"), header: cfg.Header.Clone(), timeout: cfg.Timeout, batch: cfg.Batch,
		turns: make(chan struct{}, maxInFlight)}
	if d.header == nil {
		d.header = http.Header{}
	}
	if d.timeout == 0 {
		d.timeout = defaultTimeout
	}
	if d.batch == 0 {
		d.batch = defaultBatch
	}
	d.client = newClient(cfg.Client)
	return d, nil
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func checkURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("URL: must be a host and a path alone, such as https://pdp.example.com") // it may hold a password
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && onThisDevice(u.Hostname()):
		return nil
	}
	return fmt.Errorf("URL %q: must be https; http is for this device", base)
}

func onThisDevice(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Format implements [fmt.Formatter] for every verb, without the header.
func (cfg Config) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "authzen.Config(%q)", cfg.URL) }

// Format implements [fmt.Formatter] for every verb, without the header.
func (d Decider) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "authzen.Decider(%q)", d.base) }

// Decide asks about r.
func (d *Decider) Decide(ctx context.Context, r gate.Request) (gate.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	var v verdict
	err := d.post(ctx, "/access/v1/evaluation", evaluationOf(r), func(body []byte) (err error) {
		v, err = readVerdict(body)
		return err
	})
	if err != nil {
		return gate.Decision{}, err
	}
	return v.decision(r.Caller), nil
}

// DecideAll asks about rs, as one question where [Config.Batch] allows. One
// answer that is not as specified is an error for all.
func (d *Decider) DecideAll(ctx context.Context, rs []gate.Request) ([]gate.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	decisions := make([]gate.Decision, 0, len(rs))
	for some := range slices.Chunk(rs, d.batch) {
		var verdicts []verdict
		err := d.post(ctx, "/access/v1/evaluations", evaluationsOf(some), func(body []byte) (err error) {
			verdicts, err = readVerdicts(body, len(some))
			return err
		})
		if err != nil {
			return nil, err
		}
		for i, v := range verdicts {
			decisions = append(decisions, v.decision(some[i].Caller))
		}
	}
	return decisions, nil
}
