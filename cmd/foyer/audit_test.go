package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/foyer/audit"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A recorded is the data of a demo, with a trail of three events of which one
// waits.
func recorded(t *testing.T) place {
	t.Helper()
	r := place{Data: t.TempDir(), App: appNames[0]}
	plain, err := secretIn(filepath.Join(r.Data, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(filepath.Join(r.Data, "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	trail, err := audit.New(audit.Config{Store: db, Secrets: []string{plain}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.NewKeys([]string{plain})
	if err != nil {
		t.Fatal(err)
	}
	ctx, now := t.Context(), time.Now()
	put := func(e store.Event) {
		if err := db.Update(ctx, func(tx store.Tx) error { return tx.PutEvent(ctx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	err = db.Update(ctx, func(tx store.Tx) error { return tx.PutUser(ctx, store.User{ID: "user_ann", Email: "ann@example.com"}) })
	if err != nil {
		t.Fatal(err)
	}
	begun := store.NewEvent(ctx, store.EventSignInBegun, now.Add(-48*time.Hour)).Of(store.Grant{ID: "g1"})
	begun.Whom, begun.Outcome = keys.Whom("ann@example.com"), store.OutcomeMailed
	put(begun)
	put(store.NewEvent(ctx, store.EventGrantClaimed, now.Add(-time.Hour)).Of(store.Grant{ID: "g1", UserID: "user_ann", Level: "chat"}))
	if err := trail.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	revoked := store.NewEvent(ctx, store.EventGrantRevoked, now).Of(store.Grant{ID: "g2", UserID: "user_bob"})
	revoked.By = store.ByClient
	put(revoked)
	return r
}

func TestTheCommandVerifiesATrail(t *testing.T) {
	r := recorded(t)
	var out bytes.Buffer
	if err := (&trailVerify{r}).run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := "2 events, at the places 1 to 2, are as they were sealed. 1 wait to be sealed.\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	if status := run(t.Context(), []string{"audit", "verify", "--data", r.Data}); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// Tampering is told, and is exit status 1.
func TestTheCommandFindsTampering(t *testing.T) {
	for _, statement := range []string{
		"UPDATE foyer_events SET user_id = 'user_bob' WHERE place = 2", "DELETE FROM foyer_events WHERE place = 1", "DELETE FROM foyer_events WHERE place = 2",
		"DELETE FROM foyer_chains", "UPDATE foyer_events SET at = 'yesterday' WHERE place = 1",
	} {
		r := recorded(t)
		db, err := sql.Open("sqlite", filepath.Join(r.Data, "foyer.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		if status := run(t.Context(), []string{"audit", "verify", "--data", r.Data}); status != exitFailed {
			t.Errorf("%s: exit status %d", statement, status)
		}
	}
}

func TestTheCommandListsWhatIsAskedFor(t *testing.T) {
	r := recorded(t)
	for _, test := range []struct {
		what string
		list trailList
		want string // the kinds, in their order
	}{
		{"all", trailList{}, "sign_in_begun grant_claimed grant_revoked"},
		{"a grant", trailList{Grant: "g1"}, "sign_in_begun grant_claimed"},
		{"a user, and their address before", trailList{User: "Ann@Example.com"}, "sign_in_begun grant_claimed"},
		{"somebody unknown", trailList{User: "zoe@example.com"}, ""},
		{"a while", trailList{Since: "2h"}, "grant_claimed grant_revoked"},
		{"since a moment", trailList{Since: time.Now().Add(-2 * time.Hour).Format(time.RFC3339)}, "grant_claimed grant_revoked"},
		{"both", trailList{Since: "2h", Grant: "g1"}, "grant_claimed"},
	} {
		test.list.place = r
		var text, lines bytes.Buffer
		if err := test.list.run(t.Context(), &text); err != nil {
			t.Fatal(err)
		}
		test.list.JSON = true
		if err := test.list.run(t.Context(), &lines); err != nil {
			t.Fatal(err)
		}
		var kinds, kindsInText []string
		for decoder := json.NewDecoder(&lines); decoder.More(); {
			var e struct{ Kind string }
			if err := decoder.Decode(&e); err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, e.Kind)
		}
		for _, line := range strings.Split(strings.TrimSpace(text.String()), "\n")[1:] {
			kindsInText = append(kindsInText, strings.Fields(line)[2])
		}
		if strings.Join(kinds, " ") != test.want || strings.Join(kindsInText, " ") != test.want {
			t.Errorf("%s: %q in JSON and %q in text, want %q", test.what, kinds, kindsInText, test.want)
		}
	}
}

func TestBadFlagsOfTheTrail(t *testing.T) {
	r := recorded(t)
	for _, flags := range [][]string{{"--since", "tomorrow"}, {"--user", "nobody"}} {
		if status := run(t.Context(), append([]string{"audit", "list", "--data", r.Data}, flags...)); status != exitUsage {
			t.Errorf("%v: exit status %d", flags, status)
		}
	}
}

// Whoever looks for a trail where there is none makes none.
func TestTheCommandMakesNoData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nowhere")
	for _, command := range []string{"verify", "list"} {
		if status := run(t.Context(), []string{"audit", command, "--data", dir}); status != exitFailed {
			t.Errorf("%s: exit status %d", command, status)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s: %v", dir, err)
	}
}

// What is printed as JSON is the whole event: a field that comes later is not
// forgotten.
func TestAnEventInJSONIsTheWholeEvent(t *testing.T) {
	event, listed := reflect.TypeFor[store.Event](), reflect.TypeFor[eventJSON]()
	if event.NumField() != listed.NumField() {
		t.Errorf("%d fields of %d", listed.NumField(), event.NumField())
	}
}
