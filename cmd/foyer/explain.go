package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store/sqlite"
)

// Explain is the command "foyer explain": what the rules of an app decide, and
// why. It touches no data of a demo: an app and a store of its own are made for
// it, and thrown away.
type explain struct {
	App       string        `default:"journal" help:"Whose rules."`
	As        string        `default:"guest" enum:"nobody,guest,user" help:"Who calls: nobody (no token), guest, user."`
	Scopes    []string      `name:"scope" placeholder:"SCOPE" help:"A scope of the grant. May be repeated. Default for a user: those that a sign-in in the chat gives."`
	Roles     []string      `name:"role" placeholder:"ROLE" help:"A role of the user. May be repeated."`
	Level     string        `default:"chat" help:"How the user was authenticated: chat, email, oidc, passkey."`
	Age       time.Duration `help:"How long ago that was."`
	Kind      string        `default:"tool" enum:"tool,resource,prompt" help:"What ITEM is: tool, resource, prompt."`
	Arguments string        `placeholder:"JSON" help:"Arguments of the call. Without them, rules about arguments are not asked."`
	Item      string        `arg:"" optional:"" help:"The name of a tool or prompt, or the URI of a resource. Without it, all items."`
}

// Run prints a table: one line for each rule.
func (e *explain) Run(ctx context.Context) error { return e.run(ctx, os.Stdout) }

func (e *explain) run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "foyer-explain-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(filepath.Join(dir, "foyer.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	app, err := openApp(e.App, dir, db)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer app.Close()
	kit, err := foyer.New(foyer.Config{Issuer: "http://localhost", Secrets: []string{strings.Repeat("explain ", 4)}, Store: db, Mail: mail.Folder{Dir: dir, From: app.from},
		Scopes: app.scopes, Tools: app.tools, Resources: app.resources, Prompts: app.prompts, GuestData: app.guestData, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer kit.Close()
	if _, err := kit.Handler(app.server(kit)); err != nil {
		return err
	}
	caller, err := e.caller(app.scopes)
	if err != nil {
		return err
	}
	return e.print(ctx, out, kit, caller)
}

// caller is who the flags describe.
func (e *explain) caller(scopes gate.Scopes) (gate.Caller, error) {
	for _, s := range e.Scopes {
		if !scopes.Known(s) {
			return gate.Caller{}, fmt.Errorf("%w: --scope %s: there are %s", errUsage, s, strings.Join(scopes.Names(), ", "))
		}
	}
	now := time.Now()
	c := gate.Caller{At: now}
	if e.As == "nobody" {
		return c, nil
	}
	c.GrantID, c.GuestID, c.Scopes = "grant", "guest_of_explain", []string{gate.Guest}
	if e.As == "guest" {
		return c, nil
	}
	if levels := gate.StandardLevels.Scopes(e.Level); len(levels) == 0 {
		return c, fmt.Errorf("%w: --level %s: there are %s", errUsage, e.Level, strings.Join(gate.StandardLevels, ", "))
	}
	if len(e.Scopes) == 0 {
		e.Scopes = scopes.Defaults().Names()
	}
	c.UserID, c.Email, c.Level, c.Roles, c.AuthTime = "user_of_explain", "user@example.com", e.Level, e.Roles, now.Add(-e.Age)
	c.Scopes = append(scopes.With(append(c.Scopes, e.Scopes...)), gate.StandardLevels.Scopes(e.Level)...)
	return c, nil
}

func (e *explain) print(ctx context.Context, out io.Writer, kit *foyer.Kit, c gate.Caller) error {
	var found []foyer.Explanation
	var err error
	if e.Item == "" {
		found, err = kit.ExplainAll(ctx, c)
	} else {
		r := gate.Request{Caller: c, Kind: gate.Kind(e.Kind), Name: e.Item}
		if e.Arguments != "" {
			if json.Unmarshal([]byte(e.Arguments), &r.Arguments) != nil || r.Arguments == nil {
				return fmt.Errorf("%w: --arguments must be a JSON object", errUsage)
			}
		}
		if found, err = kit.Explain(ctx, r); err == nil && len(found) == 0 {
			return fmt.Errorf("there is no %s %q: nobody may use it, and nobody is told more", e.Kind, e.Item)
		}
	}
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND\tITEM\tFOR\tLISTED\tDECISION\tWHAT WOULD CHANGE IT")
	for _, x := range found {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Kind, x.Item, x.Rule, shownAs(x), x.Decision, x.Change)
	}
	return table.Flush()
}

func shownAs(x foyer.Explanation) string {
	switch {
	case !x.Listed:
		return "no"
	case x.Decision.Outcome == gate.Challenge:
		return "locked"
	}
	return "open"
}
