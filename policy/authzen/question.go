package authzen

import (
	"reflect"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/words"
)

// An evaluation is one question (AuthZEN section 6.1), or one of several, where
// what is nil is as at the top.
type evaluation struct {
	Subject  *subject     `json:"subject,omitempty"`
	Action   *action      `json:"action"`
	Resource *resource    `json:"resource"`
	Context  *environment `json:"context,omitempty"`
}

type subject struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Properties subjectProperties `json:"properties"`
}

type subjectProperties struct {
	Level           string    `json:"level,omitempty"`
	AuthenticatedAt time.Time `json:"authenticated_at,omitzero"`
	Scopes          []string  `json:"scopes"`
	Roles           []string  `json:"roles"`
}

type action struct {
	Name string `json:"name"`
}

type resource struct {
	Type       string              `json:"type"`
	ID         string              `json:"id"`
	Properties *resourceProperties `json:"properties,omitempty"`
}

type resourceProperties struct {
	Item string `json:"item"`
}

type environment struct {
	Time      time.Time      `json:"time,omitzero"`
	Arguments map[string]any `json:"arguments,omitzero"` // an empty map is there
}

// Evaluations are several questions, with defaults (AuthZEN section 7.1).
type evaluations struct {
	Subject     *subject     `json:"subject"`
	Context     *environment `json:"context"`
	Evaluations []evaluation `json:"evaluations"`
	Options     options      `json:"options"`
}

type options struct {
	Semantic string `json:"evaluations_semantic"`
}

var actions = map[gate.Kind]*action{gate.Tool: {"tools/call"}, gate.Resource: {"resources/read"}, gate.Prompt: {"prompts/get"}}

func evaluationOf(r gate.Request) evaluation {
	e := evaluation{Subject: subjectOf(r.Caller), Action: actions[r.Kind], Resource: &resource{Type: string(r.Kind), ID: r.Name},
		Context: &environment{r.Caller.At.UTC(), r.Arguments}}
	if r.Kind == gate.Resource {
		e.Resource.Properties = &resourceProperties{r.Item}
	}
	if r.Kind == gate.Tool && (r.Name == words.Authenticate || r.Name == words.ValidateToken) {
		e.Context.Arguments = nil // an address, or the digits of a one-time code
	}
	return e
}

// evaluationsOf asks about rs, of which there is at least one. What is as in the
// first is said once.
func evaluationsOf(rs []gate.Request) evaluations {
	all := evaluations{Evaluations: make([]evaluation, len(rs)), Options: options{"execute_all"}}
	for i, r := range rs {
		e := evaluationOf(r)
		if i == 0 {
			all.Subject, all.Context = e.Subject, e.Context
		}
		if reflect.DeepEqual(e.Subject, all.Subject) {
			e.Subject = nil
		}
		if reflect.DeepEqual(e.Context, all.Context) {
			e.Context = nil
		}
		all.Evaluations[i] = e
	}
	return all
}

func subjectOf(c gate.Caller) *subject {
	s := &subject{Type: "nobody", ID: "nobody", Properties: subjectProperties{Level: c.Level, AuthenticatedAt: c.AuthTime.UTC(),
		Scopes: append([]string{}, c.Scopes...), Roles: append([]string{}, c.Roles...)}}
	switch {
	case c.SignedIn():
		s.Type, s.ID = "user", c.UserID
	case c.GuestID != "":
		s.Type, s.ID = "guest", c.GuestID
	}
	return s
}
