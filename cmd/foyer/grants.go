package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// Grants are the commands "foyer grants".
type grants struct {
	Elevate elevate `cmd:"" help:"Give a grant of a user one scope or role more, for a while, from the next request on."`
	Lower   lower   `cmd:"" help:"End elevations of a grant before their time."`
	Revoke  revoke  `cmd:"" help:"End a grant for good: its client has to connect anew."`
}

type elevate struct {
	Grant  string        `arg:"" help:"ID of the grant, as \"users show\" prints it."`
	Scope  string        `xor:"what" required:"" placeholder:"SCOPE" help:"A scope that the app has."`
	Role   string        `xor:"what" required:"" placeholder:"ROLE" help:"A role."`
	For    time.Duration `required:"" placeholder:"1h" help:"How long; 24h at most."`
	Reason string        `required:"" placeholder:"TEXT" help:"Why, in words."`
	By     string        `required:"" placeholder:"WHO" help:"Who has approved it."`
	place
}

// Run elevates the grant, and prints until when.
func (e *elevate) Run(ctx context.Context) error { return e.run(ctx, os.Stdout) }

func (e *elevate) run(ctx context.Context, out io.Writer) error {
	if err := e.known(); err != nil {
		return err
	}
	if scopes := appScopes[e.App]; e.Scope != "" && !scopes.Known(e.Scope) {
		return fmt.Errorf("%w: --scope %s: %s has these scopes: %s", errUsage, tame(e.Scope), e.App, list(scopes.Names()))
	}
	raise := store.Elevation{Scope: e.Scope, Role: e.Role, Until: time.Now().Add(e.For), Reason: e.Reason, By: e.By}
	return e.with(func(rules *grant.Grants) error {
		if err := rules.Elevate(ctx, e.Grant, raise); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "elevated to %s until %s\n", shownElevation(raise).to(), moment(raise.Until))
		return err
	})
}

type lower struct {
	Grant string  `arg:"" help:"ID of the grant, as \"users show\" prints it."`
	Scope *string `xor:"what" placeholder:"SCOPE" help:"The elevation to this scope. Default: all."`
	Role  *string `xor:"what" placeholder:"ROLE" help:"The elevation to this role. Default: all."`
	place
}

// Run ends the elevations, and prints which.
func (l *lower) Run(ctx context.Context) error { return l.run(ctx, os.Stdout) }

func (l *lower) run(ctx context.Context, out io.Writer) error {
	if l.Scope != nil && *l.Scope == "" || l.Role != nil && *l.Role == "" { // a variable that is empty by mistake means not all
		return fmt.Errorf("%w: --scope or --role is empty; leave both out to end all elevations", errUsage)
	}
	return l.with(func(rules *grant.Grants) error {
		ended, err := rules.Lower(ctx, l.Grant, given(l.Scope), given(l.Role))
		for _, e := range ended {
			fmt.Fprintf(out, "no longer elevated to %s, which was until %s\n", shownElevation(e).to(), moment(e.Until))
		}
		return err
	})
}

// given returns the value of a flag, or "" where it was left out.
func given(flag *string) string {
	if flag == nil {
		return ""
	}
	return *flag
}

type revoke struct {
	Grant string `arg:"" help:"ID of the grant, as \"users show\" prints it."`
	place
}

// Run revokes the grant.
func (r *revoke) Run(ctx context.Context) error { return r.run(ctx, os.Stdout) }

func (r *revoke) run(ctx context.Context, out io.Writer) error {
	return r.with(func(rules *grant.Grants) error {
		if err := rules.End(ctx, r.Grant); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "revoked; its client has to connect anew")
		return err
	})
}
