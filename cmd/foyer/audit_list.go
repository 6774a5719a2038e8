package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

type trailList struct {
	place
	Grant string `placeholder:"ID" help:"Only events of this grant."`
	User  string `placeholder:"ADDRESS" help:"Only events of whoever has this e-mail address, or was asked for a code there."`
	Since string `placeholder:"TIME" help:"Only events since then: 2026-11-21T14:03:00Z, or 24h ago."`
	JSON  bool   `help:"One JSON object a line."`
}

// Run prints the events that the flags ask for.
func (l *trailList) Run(ctx context.Context) error { return l.run(ctx, os.Stdout) }

func (l *trailList) run(ctx context.Context, out io.Writer) error {
	db, err := l.open()
	if err != nil {
		return err
	}
	defer db.Close()
	wanted, err := l.wanted(ctx, db)
	if err != nil {
		return err
	}
	print, flush := l.printer(out)
	if err := eachEvent(ctx, db, func(e store.Event) error {
		if !wanted(e) {
			return nil
		}
		return print(e)
	}); err != nil {
		return err
	}
	return flush()
}

// wanted returns whether the flags ask for an event.
func (l *trailList) wanted(ctx context.Context, db store.Store) (func(store.Event) bool, error) {
	since, err := sinceWhen(l.Since)
	if err != nil {
		return nil, err
	}
	var userID, whom string
	if l.User != "" {
		plain, err := l.secret()
		if err != nil {
			return nil, fmt.Errorf("addresses are found by the secret of the demo: %w", err)
		}
		if userID, whom, err = personOf(ctx, db, plain, l.User); err != nil {
			return nil, err
		}
	}
	return func(e store.Event) bool {
		return !e.At.Before(since) && (l.Grant == "" || e.GrantID == l.Grant) &&
			(l.User == "" || userID != "" && e.UserID == userID || e.Whom == whom)
	}, nil
}

func sinceWhen(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: --since %s: neither a time such as 2026-11-21T14:03:00Z nor a duration such as 24h", errUsage, text)
	}
	return at, nil
}

// personOf returns the ID of the user with that address, if there is one, and
// the pseudonym of the address.
func personOf(ctx context.Context, db store.Store, plain, address string) (userID, whom string, err error) {
	email, err := mail.ParseAddress(address)
	if err != nil {
		return "", "", fmt.Errorf("%w: --user: no e-mail address", errUsage)
	}
	keys, err := secret.NewKeys([]string{plain})
	if err != nil {
		return "", "", err
	}
	err = db.View(ctx, func(tx store.Tx) error {
		u, err := tx.UserByEmail(ctx, email.String())
		userID = u.ID
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return userID, keys.Whom(email.String()), err
}

// eachEvent calls do with every event: those that are sealed in the order of the
// chain, and then those that wait.
func eachEvent(ctx context.Context, db store.Store, do func(store.Event) error) error {
	const page = 1000
	for after, more := math.MinInt64, true; more; {
		var events []store.Event
		err := db.View(ctx, func(tx store.Tx) (err error) {
			if events, err = tx.SealedEvents(ctx, after, page); err == nil && len(events) < page {
				more = false
				var waiting []store.Event
				waiting, err = tx.UnsealedEvents(ctx, 10*page)
				events = append(events, waiting...)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := do(e); err != nil {
				return err
			}
			after = e.Place
		}
	}
	return nil
}

// printer returns what prints an event, and what is to be called after the last.
func (l *trailList) printer(out io.Writer) (print func(store.Event) error, flush func() error) {
	if l.JSON {
		encoder := json.NewEncoder(out)
		return func(e store.Event) error { return encoder.Encode(eventJSON(e)) }, func() error { return nil }
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PLACE\tTIME\tEVENT\tWHAT\tUSER\tLEVEL\tGRANT\tCLIENT\tREQUEST")
	return func(e store.Event) error {
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", placeOf(e), e.At.Format(time.RFC3339), e.Kind, what(e),
			dash(e.UserID), dash(e.Level), dash(e.GrantID), dash(e.ClientID), dash(e.Request))
		return err
	}, table.Flush
}

func placeOf(e store.Event) string {
	if e.Place == 0 {
		return "waits"
	}
	return fmt.Sprint(e.Place)
}

// what puts into words what e says besides who and when.
func what(e store.Event) string {
	var words []string
	for _, w := range []string{e.Outcome, e.Item, e.Reason, strings.Join(e.Scopes, " "), strings.Join(e.Roles, " "), e.Operation} {
		if w != "" {
			words = append(words, w)
		}
	}
	if e.By != "" {
		words = append(words, "by the "+e.By)
	}
	if e.Count > 1 || e.Kind == store.EventLost {
		words = append(words, fmt.Sprint(e.Count, " times"))
	}
	if !e.Until.IsZero() {
		words = append(words, "until "+e.Until.Format(time.RFC3339))
	}
	return dash(strings.Join(words, ", "))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// An eventJSON is an event in JSON, which scripts may rely on.
type eventJSON struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Until     time.Time `json:"until,omitzero"`
	Kind      string    `json:"kind"`
	Request   string    `json:"request,omitempty"`
	GrantID   string    `json:"grant,omitempty"`
	ClientID  string    `json:"client,omitempty"`
	UserID    string    `json:"user,omitempty"`
	GuestID   string    `json:"guest,omitempty"`
	Level     string    `json:"level,omitempty"`
	Item      string    `json:"item,omitempty"`
	Method    string    `json:"method,omitempty"`
	Outcome   string    `json:"outcome,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Scopes    []string  `json:"scopes,omitempty"`
	Roles     []string  `json:"roles,omitempty"`
	Operation string    `json:"operation,omitempty"`
	By        string    `json:"by,omitempty"`
	Whom      string    `json:"whom,omitempty"`
	Count     int       `json:"count"`
	Place     int       `json:"place,omitempty"`
	KeyID     string    `json:"key,omitempty"`
	MAC       []byte    `json:"mac,omitempty"`
}
