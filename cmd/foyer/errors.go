package main

import (
	"errors"
	"fmt"

	"example.com/foyer/internal/grant"
)

var (
	// errLater refuses by name what a later version brings.
	errLater = errors.New("not in this version")

	errUsage = errors.New("wrong usage")
)

// refusals are what the rules refuse an operator, and what to do then.
var refusals = []struct {
	refusal error
	usage   bool // the command line can be mended without a look at the data
	words   string
}{
	{grant.ErrNoUser, false, "no user has that address: people become users when they first sign in; look for a typo, or name another folder with --data"},
	{grant.ErrNotLeaving, false, "nobody has asked to delete that user, so they stay"},
	{grant.ErrTooLate, false, "it is too late: the seven days are over, and the deletion has begun"},
	{grant.ErrRoles, true, "a role has a name without spaces, and a user has at most 50"},
	{grant.ErrElevation, true, "an elevation is to one scope or one role, with --for more than 0 and at most 24h, and a --reason and --by that are not empty and have at most 500 bytes together"},
	{grant.ErrElevated, false, "the grant has 16 elevations already; end one with: foyer grants lower"},
	{grant.ErrNotElevated, false, "the grant has no such elevation, or it is over; see what it has with: foyer users show ADDRESS"},
	{grant.ErrGuest, false, "the grant is a guest's; an elevation is for a user, who has to sign in first"},
	{grant.ErrUnknown, false, "there is no such grant, or it has expired; see a user's with: foyer users show ADDRESS"},
	{grant.ErrRevoked, false, "the grant is revoked, which is for good; its client has to connect anew"},
}

// inWords says a refusal of the rules in words for an operator. A fault stays as
// it is.
func inWords(err error) error {
	for _, r := range refusals {
		switch {
		case errors.Is(err, r.refusal) && r.usage:
			return fmt.Errorf("%w: %s", errUsage, r.words)
		case errors.Is(err, r.refusal):
			return errors.New(r.words)
		}
	}
	return err
}
