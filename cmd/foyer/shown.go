package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"

	"example.com/foyer/store"
)

// What "users show" shows. The names are a contract that scripts rely on.
type (
	shownUser struct {
		ID     string       `json:"id"`
		Since  time.Time    `json:"since"`
		Leaves *time.Time   `json:"will_be_deleted_at,omitempty"`
		Roles  []string     `json:"roles"`
		Grants []shownGrant `json:"grants"`
	}
	shownGrant struct {
		ID           string           `json:"id"`
		Client       string           `json:"client_id"`
		RedirectHost string           `json:"redirect_host"`
		Level        string           `json:"level"`
		Scopes       []string         `json:"scopes"`
		Since        time.Time        `json:"since"`
		Expires      time.Time        `json:"expires"`
		Elevations   []shownElevation `json:"elevations"`
	}
	shownElevation struct {
		Scope  string    `json:"scope,omitempty"`
		Role   string    `json:"role,omitempty"`
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
		By     string    `json:"by"`
	}
)

// show takes what may be shown of u, live and d, if there is one. No list is nil: JSON
// has no null.
func show(u store.User, live []store.Grant, d store.Deletion) shownUser {
	shown := shownUser{ID: u.ID, Since: u.Created.UTC(), Roles: append([]string{}, u.Roles...), Grants: []shownGrant{}}
	if !d.Until.IsZero() {
		shown.Leaves = new(d.Until.UTC())
	}
	for _, g := range live {
		of := shownGrant{ID: g.ID, Client: g.ClientID, RedirectHost: g.RedirectHost, Level: g.Level, Scopes: append([]string{}, g.Scopes...),
			Since: g.Created.UTC(), Expires: g.Expires.UTC(), Elevations: []shownElevation{}}
		for _, e := range g.Elevations {
			e.Until = e.Until.UTC()
			of.Elevations = append(of.Elevations, shownElevation(e))
		}
		shown.Grants = append(shown.Grants, of)
	}
	return shown
}

// print prints s as tables.
func (s shownUser) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "user\t%s\nsince\t%s\nroles\t%s\n", tame(s.ID), moment(s.Since), list(s.Roles))
	if s.Leaves != nil {
		fmt.Fprintf(table, "will be deleted\t%s\n", moment(*s.Leaves))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(table, "\nGRANT\tCLIENT\tREDIRECT HOST\tLEVEL\tSCOPES\tSINCE\tEXPIRES")
	elevated := false
	for _, g := range s.Grants {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", tame(g.ID), tame(g.Client), tame(g.RedirectHost), tame(g.Level), list(g.Scopes), moment(g.Since), moment(g.Expires))
		elevated = elevated || len(g.Elevations) > 0
	}
	if err := table.Flush(); err != nil || !elevated {
		return err
	}
	fmt.Fprintln(table, "\nELEVATED GRANT\tTO\tUNTIL\tREASON\tBY")
	for _, g := range s.Grants {
		for _, e := range g.Elevations {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", tame(g.ID), e.to(), moment(e.Until), tame(e.Reason), tame(e.By))
		}
	}
	return table.Flush()
}

// to names the scope or the role.
func (e shownElevation) to() string {
	if e.Role != "" {
		return "role " + tame(e.Role)
	}
	return "scope " + tame(e.Scope)
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func list(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	return tame(strings.Join(names, " "))
}

// tame replaces what a terminal, or a table, might obey: control characters,
// and those that turn the direction of text.
func tame(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// escaped is JSON with the same characters as escapes, which JSON itself asks for
// some of alone.
func escaped(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		if r == '\n' || unicode.IsPrint(r) { // a line break is between values: those in them are escaped already
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
