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
	"example.com/foyer/store"
)

// Users are the commands "foyer users".
type users struct {
	Show   showUser   `cmd:"" help:"Show a user, with roles and grants."`
	Roles  setRoles   `cmd:"" help:"Give a user exactly these roles, from the next request on."`
	Delete deleteUser `cmd:"" help:"Sign a user out everywhere, and delete what is kept of them in seven days."`
	Keep   keepUser   `cmd:"" help:"Take the deletion of a user back, before the seven days are over."`
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
		d, _, err := rules.Deletion(ctx, u.ID)
		if err != nil {
			return err
		}
		shown := show(u, live, d)
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

type deleteUser struct {
	address
	place
}

// Run deletes the user, and prints when it will be done.
func (d *deleteUser) Run(ctx context.Context) error { return d.run(ctx, os.Stdout) }

func (d *deleteUser) run(ctx context.Context, out io.Writer) error {
	email, err := d.normalised()
	if err != nil {
		return err
	}
	return d.with(func(rules *grant.Grants) error {
		u, err := rules.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		will, err := rules.DeleteUser(ctx, u.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "signed out everywhere, and will be deleted at %s; until then: foyer users keep ADDRESS\n", moment(will.Until))
		return err
	})
}

type keepUser struct {
	address
	place
}

// Run takes the deletion back.
func (k *keepUser) Run(ctx context.Context) error { return k.run(ctx, os.Stdout) }

func (k *keepUser) run(ctx context.Context, out io.Writer) error {
	email, err := k.normalised()
	if err != nil {
		return err
	}
	return k.with(func(rules *grant.Grants) error {
		u, err := rules.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		if err := rules.Keep(ctx, u.ID, store.ByApp); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "kept; apps and browsers have to sign in anew")
		return err
	})
}
