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

// Eager is the entry for people alone: 401 for everything, and no guest gets in.
const Eager Entry = "eager"

// A ScopeInfo describes a scope that a client may ask for.
type ScopeInfo struct {
	Name    string // RFC 6749 section 3.3; for example "notes:write"
	Words   string // what the mail and the pages call it, for example "Write and delete your notes"
	Default bool   // given at a claim in the chat; others need consent in the browser

	// WordsIn are the words in other languages, by tag (BCP 47), for example "de".
	// Optional.
	WordsIn map[string]string

	// Implies names narrower scopes that come with this one: where "notes:write"
	// implies "notes:read", a grant of the first opens what asks for the second.
	// What they imply comes, too.
	Implies []string
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

// With returns names and every scope that they imply, each once, and in the order
// in which they come.
func (ss Scopes) With(names []string) []string {
	all := make([]string, 0, len(names)+len(StandardLevels)) // callers add those of a level
	for _, name := range names {
		all = ss.add(all, name)
	}
	return all
}

func (ss Scopes) add(all []string, name string) []string {
	if slices.Contains(all, name) {
		return all
	}
	all = append(all, name)
	for _, s := range ss {
		if s.Name != name {
			continue
		}
		for _, narrower := range s.Implies {
			all = ss.add(all, narrower)
		}
	}
	return all
}

// Check returns everything that is wrong with the scopes.
func (ss Scopes) Check() error {
	var problems []error
	for i, s := range ss {
		switch {
		case s.Name == "" || strings.ContainsFunc(s.Name, notInScope):
			problems = append(problems, fmt.Errorf("scope %q: a name is made of ASCII letters, digits and punctuation but \" and \\", s.Name))
		case s.Name == Guest || s.Name == OfflineAccess || strings.HasPrefix(s.Name, levelPrefix):
			problems = append(problems, fmt.Errorf("scope %q: the name is taken by the kit", s.Name))
		case ss[:i].Known(s.Name):
			problems = append(problems, fmt.Errorf("scope %q: declared twice", s.Name))
		}
		for _, narrower := range s.Implies {
			if !ss.Known(narrower) {
				problems = append(problems, fmt.Errorf("scope %q: it implies %q, which is not in Scopes", s.Name, narrower))
			}
		}
		for _, narrower := range ss.With([]string{s.Name}) {
			if s.Default && ss.Known(narrower) && !ss.Defaults().Known(narrower) {
				problems = append(problems, fmt.Errorf("scope %q: it is a default and implies %q, which is none, so that a claim in the chat would give it", s.Name, narrower))
			}
		}
		if strings.TrimSpace(s.Words) == "" {
			problems = append(problems, fmt.Errorf("scope %q: Words are missing: people approve words, not names", s.Name))
		}
	}
	return errors.Join(problems...)
}

// notInScope reports whether r cannot stand in a scope (RFC 6749 section 3.3).
func notInScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
