package foyertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
)

// update is the name of an environment variable: a flag could be one of the
// user's own.
const update = "FOYERTEST_UPDATE"

// Rules compares who may do what with the table in a file, which people read and
// review: a line for each item, a column for each caller, and in each cell how a
// list shows the item (open, locked or absent) and what is decided about a call
// (allow, challenge or deny, and why).
//
// Of cfg it uses Scopes, Levels, Tools, Resources, Prompts and Decider, which
// must be free of errors; it needs no store, no mail and no server. What is
// decided is told without hiding anything: a hidden item is absent for who may not use
// it. Rules about arguments ([gate.Rule.When]) are not asked, as for a list, and
// the cell says so; ask [gate.Rules.Decide] about them (see [Caller.In]).
//
// Each difference is an error that names item and caller. Spaces, the order of
// lines, empty lines and those that begin with # make none. With FOYERTEST_UPDATE=1
// in the environment the file is written instead, unless CI is set.
func Rules(t testing.TB, path string, cfg foyer.Config, callers ...Caller) {
	t.Helper()
	decided, err := tableOf(t.Context(), cfg, callers)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(update) != "" && !underCI() {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(decided.String()), 0o644)); err != nil {
			t.Fatalf("foyertest: %v", err)
		}
		t.Logf("foyertest: %s was written", path)
		return
	}
	anew := fmt.Sprintf("If that is meant, write it anew: %s=1 go test -run %s", update, t.Name())
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("foyertest: there is no %s yet.\n%s", path, anew)
	} else if err != nil {
		t.Fatalf("foyertest: %v", err)
	}
	kept, problems := parse(string(text))
	if problems = append(problems, differences(kept, decided)...); len(problems) > 0 {
		t.Errorf("foyertest: who may do what is not as %s has it:\n\t%s\n%s", path, strings.Join(problems, "\n\t"), anew)
	}
}

// underCI reports whether this runs where nobody reviews what is written.
func underCI() bool { return os.Getenv("CI") != "" && os.Getenv("CI") != "false" }

// tableOf asks the gate about every item and every caller.
func tableOf(ctx context.Context, cfg foyer.Config, callers []Caller) (table, error) {
	g, err := gateOf(cfg)
	if err != nil {
		return table{}, err
	}
	var all table
	var known []gate.Caller
	for _, c := range callers {
		k, err := c.in(cfg, time.Now())
		if err != nil {
			return table{}, err
		}
		known, all.callers = append(known, k), append(all.callers, c.name)
	}
	for _, kind := range []gate.Kind{gate.Tool, gate.Resource, gate.Prompt} {
		for _, name := range g.Items.Names(kind) {
			r := row{kind: string(kind), item: name}
			for _, c := range known {
				cell, err := ask(ctx, g, gate.Request{Caller: c, Kind: kind, Name: name})
				if err != nil {
					return table{}, err
				}
				r.cells = append(r.cells, cell)
			}
			all.rows = append(all.rows, r)
		}
	}
	return all, all.check()
}

// gateOf is a gate of the tables of cfg alone. What has a variable in its name is
// a template.
func gateOf(cfg foyer.Config) (*mcpgate.Gate, error) {
	problems := []error{cfg.Scopes.Check(), levels(cfg).Check()}
	for _, table := range []struct {
		name  string
		rules gate.Rules
	}{{"Tools", cfg.Tools}, {"Resources", cfg.Resources}, {"Prompts", cfg.Prompts}} {
		if err := table.rules.Check(cfg.Scopes, levels(cfg)); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", table.name, err))
		}
	}
	templates := slices.Sorted(maps.Keys(cfg.Resources))
	templates = slices.DeleteFunc(templates, func(name string) bool { return !strings.Contains(name, "{") })
	items, err := mcpgate.NewItems(cfg.Tools, cfg.Resources, cfg.Prompts, templates, mcpgate.Schemas{})
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("foyertest: bad config:\n%w", err)
	}
	return &mcpgate.Gate{Config: mcpgate.Config{Items: items, Scopes: cfg.Scopes, Levels: levels(cfg), Decider: cfg.Decider, Log: slog.Default()}}, nil
}

// ask asks about one cell. A template may come under others, too.
func ask(ctx context.Context, g *mcpgate.Gate, r gate.Request) (string, error) {
	verdicts, err := g.Explain(ctx, r)
	for _, v := range verdicts {
		if v.Item == r.Name {
			return cell(v), nil
		}
	}
	return "", fmt.Errorf("foyertest: nothing is decided about the %s %q: %v", r.Kind, r.Name, err)
}

func cell(v mcpgate.Verdict) string {
	shown := "open"
	switch {
	case !v.Listed:
		shown = "absent"
	case v.Decision.Outcome == gate.Challenge:
		shown = "locked"
	}
	if v.Decision.Outcome.Passes() && v.Rule.AsksArguments() {
		return shown + ", " + v.Decision.String() + " for some arguments"
	}
	return shown + ", " + v.Decision.String()
}
