package foyertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/internal/signin"
	"example.com/foyer/mail"
)

// A Caller is somebody to ask the rules about. Make one with [Nobody], [Guest]
// or [User], and say more of a user by its methods. The zero Caller is refused.
type Caller struct {
	name   string
	who    who
	scopes []string // of the grant; nil means those of a claim in the chat
	roles  []string
	level  string
	age    time.Duration
}

type who int

const (
	unsaid who = iota
	nobody
	guest
	user
)

// Nobody is a caller without a token, named "nobody".
func Nobody() Caller { return Caller{name: "nobody", who: nobody} }

// Guest is a caller with a guest's token, named "guest".
func Guest() Caller { return Caller{name: "guest", who: guest} }

// User is who has just signed in in the chat, with the scopes that this gives and
// without a role. The name is made of what can stand in front of an @: it names
// the caller's column, is the user's ID, and NAME@example.com is the address.
func User(name string) Caller { return Caller{name: name, who: user, level: signin.Level} }

// Scopes gives the user's grant exactly these scopes, and what they imply, instead
// of those of a sign-in in the chat.
func (c Caller) Scopes(scopes ...string) Caller {
	c.scopes = append([]string{}, scopes...) // never nil
	return c
}

// Roles gives the user exactly these roles.
func (c Caller) Roles(roles ...string) Caller {
	c.roles = slices.Clone(roles)
	return c
}

// Level says how the user was authenticated, such as "email".
func (c Caller) Level(level string) Caller {
	c.level = level
	return c
}

// Age says how long ago that was.
func (c Caller) Age(d time.Duration) Caller {
	c.age = d
	return c
}

// In is c as the gate of a kit of cfg would see it, now: for questions about one
// call with its arguments, which [gate.Rules.Decide] answers without a server,
//
//	c := foyertest.User("ann").In(t, cfg)
//	d := cfg.Tools.Decide(c, "pay", map[string]any{"amount": 10.0})
//
// and for calling a handler of one's own under [gate.WithCaller]. It refuses what
// no kit of cfg gives: scopes and levels that are not in cfg, and anything of a
// user for who is none.
func (c Caller) In(t testing.TB, cfg foyer.Config) gate.Caller {
	t.Helper()
	known, err := c.in(cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func (c Caller) in(cfg foyer.Config, now time.Time) (gate.Caller, error) {
	levels := levels(cfg)
	address, err := c.check(cfg, levels)
	if err != nil {
		return gate.Caller{}, fmt.Errorf("foyertest: caller %q: %w", c.name, err)
	}
	known := gate.Caller{At: now}
	if c.who == nobody {
		return known, nil
	}
	known.GrantID, known.GuestID, known.Scopes = "grant_of_"+c.name, "guest_of_"+c.name, []string{gate.Guest}
	if c.who == guest {
		return known, nil
	}
	scopes := c.scopes
	if scopes == nil {
		scopes = cfg.Scopes.Defaults().Names()
	}
	known.UserID, known.Email, known.Level, known.Roles, known.AuthTime = c.name, address.String(), c.level, c.roles, now.Add(-c.age)
	known.Scopes = append(cfg.Scopes.With(append(known.Scopes, scopes...)), levels.Scopes(c.level)...)
	return known, nil
}

// check returns the user's address, and all that is wrong with c.
func (c Caller) check(cfg foyer.Config, levels gate.Levels) (mail.Address, error) {
	if c.who == unsaid {
		return mail.Address{}, errors.New("make one with Nobody, Guest or User")
	}
	if c.who != user {
		if c.scopes != nil || c.roles != nil || c.level != "" || c.age != 0 {
			return mail.Address{}, errors.New("scopes, roles, levels and ages are users'; begin with User")
		}
		return mail.Address{}, nil
	}
	var problems []error
	address, err := mail.ParseAddress(c.name + "@example.com")
	if err != nil {
		problems = append(problems, errors.New("the name cannot stand in front of an @"))
	}
	for _, s := range c.scopes {
		if !cfg.Scopes.Known(s) {
			problems = append(problems, fmt.Errorf("scope %q is not in Scopes", s))
		}
	}
	if !slices.Contains(levels, c.level) {
		problems = append(problems, fmt.Errorf("level %q is not in Levels: %s", c.level, strings.Join(levels, ", ")))
	}
	if slices.ContainsFunc(c.roles, func(role string) bool { return role == "" || strings.ContainsAny(role, " \t\n") }) {
		problems = append(problems, errors.New("a role has no name, or a space in it"))
	}
	if c.age < 0 {
		problems = append(problems, fmt.Errorf("age %v is negative", c.age))
	}
	return address, errors.Join(problems...)
}

// levels are those of cfg, or the standard ones.
func levels(cfg foyer.Config) gate.Levels {
	if len(cfg.Levels) == 0 {
		return gate.StandardLevels
	}
	return cfg.Levels
}
