package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Scopes that exist on every server and cannot be declared.
const (
	Guest         = "guest"          // what a guest's grant has; it opens nothing of a person's. Also an [Entry]
	OfflineAccess = "offline_access" // asked for by clients that want refresh tokens; never granted or needed
)

// An Entry is how an endpoint greets a request without a token. [Guest] is one:
// 401, and a guest's token for every client that asks.
type Entry string

// Lazy is the entry that lets a request without a token in, as that of a caller
// without a grant. A rule that asks for more is answered by 401.
const Lazy Entry = "lazy"

// A ScopeInfo describes a scope that a client may ask for.
type ScopeInfo struct {
	Name    string // RFC 6749 section 3.3; for example "notes:write"
	Words   string // what the mail and the pages call it, for example "Write and delete your notes"
	Default bool   // given at a claim in the chat; others need consent in the browser
}

// Scopes are all scopes of one server, in the order in which people read them.
type Scopes []ScopeInfo

// Known reports whether name is one of the scopes.
func (ss Scopes) Known(name string) bool {
	return slices.ContainsFunc(ss, func(s ScopeInfo) bool { return s.Name == name })
}

// Defaults returns those scopes that a claim in the chat gives.
func (ss Scopes) Defaults() Scopes {
	return slices.DeleteFunc(slices.Clone(ss), func(s ScopeInfo) bool { return !s.Default })
}

// Names returns the names of the scopes.
func (ss Scopes) Names() []string {
	names := make([]string, len(ss))
	for i, s := range ss {
		names[i] = s.Name
	}
	return names
}

// Check returns everything that is wrong with the scopes.
func (ss Scopes) Check() error {
	var problems []error
	for i, s := range ss {
		switch {
		case s.Name == "" || strings.ContainsFunc(s.Name, notInScope):
			problems = append(problems, fmt.Errorf("scope %q: a name is made of ASCII letters, digits and punctuation but \" and \\", s.Name))
		case s.Name == Guest || s.Name == OfflineAccess || strings.HasPrefix(s.Name, "acr:"):
			problems = append(problems, fmt.Errorf("scope %q: the name is taken by the kit", s.Name))
		case ss[:i].Known(s.Name):
			problems = append(problems, fmt.Errorf("scope %q: declared twice", s.Name))
		}
		if strings.TrimSpace(s.Words) == "" {
			problems = append(problems, fmt.Errorf("scope %q: Words are missing: people approve words, not names", s.Name))
		}
	}
	return errors.Join(problems...)
}

// notInScope reports whether r cannot stand in a scope (RFC 6749 section 3.3).
func notInScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
