package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"example.com/foyer/internal/grant"
	"example.com/foyer/mail"
)

// Users are the commands "foyer users".
type users struct {
	Show  showUser `cmd:"" help:"Show a user, with roles and grants."`
	Roles setRoles `cmd:"" help:"Give a user exactly these roles, from the next request on."`
}

// An address names a user.
type address struct {
	Address string `arg:"" help:"The user's mail address."`
}

// normalised returns the address as it is stored. No error repeats it.
func (a *address) normalised() (string, error) {
	parsed, err := mail.ParseAddress(a.Address)
	if odd := (*mail.AddressError)(nil); errors.As(err, &odd) {
		return "", fmt.Errorf("%w: ADDRESS is not an address. %s", errUsage, odd.Reason)
	}
	return parsed.String(), err
}

type showUser struct {
	address
	JSON bool `name:"json" help:"Print JSON, for scripts."`
	place
}

// Run prints the user, and grants that work.
func (s *showUser) Run(ctx context.Context) error { return s.run(ctx, os.Stdout) }

func (s *showUser) run(ctx context.Context, out io.Writer) error {
	email, err := s.normalised()
	if err != nil {
		return err
	}
	return s.with(func(rules *grant.Grants) error {
		u, err := rules.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		live, err := rules.OfUser(ctx, u.ID)
		if err != nil {
			return err
		}
		shown := show(u, live)
		if !s.JSON {
			return shown.print(out)
		}
		text, err := json.MarshalIndent(shown, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, escaped(text))
		return err
	})
}

type setRoles struct {
	address
	Roles []string `arg:"" optional:"" name:"role" help:"All roles that the user is to have."`
	None  bool     `help:"Take all roles away."`
	place
}

// Run gives the roles, and prints which there were and are.
func (s *setRoles) Run(ctx context.Context) error { return s.run(ctx, os.Stdout) }

func (s *setRoles) run(ctx context.Context, out io.Writer) error {
	if s.None == (len(s.Roles) > 0) {
		return fmt.Errorf("%w: name the roles that the user is to have, or take all away with --none", errUsage)
	}
	email, err := s.normalised()
	if err != nil {
		return err
	}
	return s.with(func(rules *grant.Grants) error {
		u, err := rules.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		was, is, err := rules.SetRoles(ctx, u.ID, s.Roles)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "was\t%s\nis\t%s\n", list(was), list(is))
		return table.Flush()
	})
}
