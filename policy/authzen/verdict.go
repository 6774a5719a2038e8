package authzen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/foyer/gate"
)

// Answers that are not as specified. None repeats the answer.
var (
	errNotJSON     = errors.New("the answer is not one JSON object, in which no name comes twice")
	errNoDecision  = errors.New(`the answer has no "decision" that is true or false`)
	errObligations = errors.New("the answer allows with obligations, or with a context that cannot be read: nobody here would fulfil them")
)

// A verdict is the decision of a policy decision point (AuthZEN section 5.5).
type verdict struct {
	allowed bool
	scopes  []string // that would change a denial, as far as it says
}

// readVerdict reads a decision. Names are compared as they are, and a name that
// comes twice is refused: of two decisions, readers disagree about which counts
// (AuthZEN section 11.5).
func readVerdict(text []byte) (verdict, error) {
	answer, err := readObject(text)
	if err != nil {
		return verdict{}, err
	}
	told, err := readContext(answer["context"])
	switch string(answer["decision"]) {
	case "true":
		if obligations, ok := told["obligations"]; err != nil || ok && string(obligations) != "[]" {
			return verdict{}, errObligations
		}
		return verdict{allowed: true}, nil
	case "false":
		return verdict{scopes: readScopes(told["scopes"])}, nil // a context that cannot be read is none
	}
	return verdict{}, errNoDecision
}

// readVerdicts reads n decisions (AuthZEN section 7.2).
func readVerdicts(text []byte, n int) ([]verdict, error) {
	answer, err := readObject(text)
	if err != nil {
		return nil, err
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(answer["evaluations"], &texts); err != nil || len(texts) != n {
		return nil, fmt.Errorf(`the answer to %d questions has %d "evaluations"`, n, len(texts))
	}
	verdicts := make([]verdict, n)
	for i, text := range texts {
		if verdicts[i], err = readVerdict(text); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

// readObject returns the members of an object, as they are written.
func readObject(text []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errNotJSON
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if _, twice := members[name]; err != nil || !ok || twice {
			return nil, errNotJSON
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errNotJSON
		}
		members[name] = value
	}
	if _, err := d.Token(); err != nil { // the brace
		return nil, errNotJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	return members, nil
}

func readContext(text json.RawMessage) (map[string]json.RawMessage, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	return readObject(text)
}

const (
	maxScopes = 20
	maxScope  = 128 // bytes: all of them stand in one header
)

// readScopes returns the scopes that a denial names, or nil where it is not some
// that a client could be sent for.
func readScopes(text json.RawMessage) []string {
	var scopes []string
	if json.Unmarshal(text, &scopes) != nil || len(scopes) > maxScopes || slices.ContainsFunc(scopes, odd) {
		return nil
	}
	return scopes
}

// odd reports whether s is no scope (RFC 6749 section 3.3), or one that opens
// nothing.
func odd(s string) bool {
	return s == "" || len(s) > maxScope || s == gate.Guest || s == gate.OfflineAccess ||
		strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// decision is what v means for c.
func (v verdict) decision(c gate.Caller) gate.Decision {
	if v.allowed {
		return gate.Decision{Outcome: gate.Allow}
	}
	why := gate.Policy
	for _, s := range v.scopes {
		if slices.Contains(c.Scopes, s) {
			continue
		}
		if _, level := gate.LevelOf(s); !level {
			why = gate.NeedsScope
		} else if why == gate.Policy {
			why = gate.NeedsLevel
		}
	}
	switch {
	case why == gate.Policy: // the caller has all of them, and would come back with no more
		return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}
	case !c.SignedIn():
		why = gate.NeedsSignIn
	}
	return gate.Decision{Outcome: gate.Challenge, Reason: why, Scopes: v.scopes}
}
