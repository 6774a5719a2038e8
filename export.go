package foyer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// The file foyer.json. The names are a contract that programs of users rely on. No
// secret stands there, no hash of one, and nobody's name but the user's.
type (
	copyOfUser struct {
		Of       string        `json:"server"`
		At       time.Time     `json:"copied_at"`
		User     copyOfPerson  `json:"user"`
		Browsers []copyOfVisit `json:"signed_in_browsers"`
		Grants   []copyOfGrant `json:"grants"`
		Activity []copyOfEvent `json:"activity"`
		Cut      bool          `json:"activity_is_cut,omitempty"` // there is more, which is older
	}
	copyOfPerson struct {
		ID      string     `json:"id"`
		Address string     `json:"address"`
		Seen    time.Time  `json:"first_seen"`
		Roles   []string   `json:"roles"`
		Leaves  *time.Time `json:"will_be_deleted_at,omitempty"`
	}
	copyOfVisit struct {
		Since time.Time `json:"since"`
		Used  time.Time `json:"used"`
		Level string    `json:"level"`
	}
	copyOfGrant struct {
		ID         string            `json:"id"`
		Client     string            `json:"client_id"`
		Name       string            `json:"client_name,omitempty"`
		Host       string            `json:"redirect_host"`
		Resource   string            `json:"resource"`
		Scopes     []string          `json:"scopes"`
		Approved   string            `json:"approved_by"`
		Level      string            `json:"level"`
		SignedIn   time.Time         `json:"signed_in_at"`
		Created    time.Time         `json:"created_at"`
		Refreshed  *time.Time        `json:"refreshed_at,omitempty"`
		Expires    time.Time         `json:"expires_at"`
		Ended      *time.Time        `json:"ended_at,omitempty"`
		Elevations []copyOfElevation `json:"elevations,omitempty"`
	}
	copyOfElevation struct {
		Scope  string    `json:"scope,omitempty"`
		Role   string    `json:"role,omitempty"`
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
	}
	copyOfEvent struct {
		At     time.Time  `json:"at"`
		Kind   string     `json:"kind"`
		Grant  string     `json:"grant,omitempty"`
		Client string     `json:"client_id,omitempty"`
		Level  string     `json:"level,omitempty"`
		Item   string     `json:"item,omitempty"`
		Why    string     `json:"reason,omitempty"`
		By     string     `json:"by,omitempty"`
		Scopes []string   `json:"scopes,omitempty"`
		Roles  []string   `json:"roles,omitempty"`
		Until  *time.Time `json:"until,omitempty"`
	}
)

// copyOf is held in the words of the file.
func (k *Kit) copyOf(held grant.Held, names map[string]string) copyOfUser {
	u := held.User
	c := copyOfUser{Of: k.cfg.Issuer, At: k.now().UTC(), Cut: held.Cut, Browsers: []copyOfVisit{}, Grants: []copyOfGrant{}, Activity: []copyOfEvent{},
		User: copyOfPerson{ID: u.ID, Address: u.Email, Seen: u.Created, Roles: append([]string{}, u.Roles...), Leaves: unlessZero(held.Deletion.Until)}}
	for _, there := range held.Sessions {
		c.Browsers = append(c.Browsers, copyOfVisit{there.AuthTime, there.Used, there.Level})
	}
	for _, gr := range held.Grants {
		one := copyOfGrant{ID: gr.ID, Client: gr.ClientID, Name: names[gr.ClientID], Host: gr.RedirectHost, Resource: gr.Resource, Scopes: append([]string{}, gr.Scopes...), Approved: gr.ApprovedBy,
			Level: gr.Level, SignedIn: gr.AuthTime, Created: gr.Created, Refreshed: unlessZero(gr.Refreshed), Expires: gr.Expires, Ended: unlessZero(gr.RevokedAt)}
		for _, e := range gr.Elevations {
			one.Elevations = append(one.Elevations, copyOfElevation{e.Scope, e.Role, e.Until, e.Reason})
		}
		c.Grants = append(c.Grants, one)
	}
	for _, e := range held.Activity {
		c.Activity = append(c.Activity, copyOfEvent{e.At, e.Kind, e.GrantID, e.ClientID, e.Level, e.Item, e.Reason, e.By, e.Scopes, e.Roles, unlessZero(e.Until)})
	}
	return c
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (c copyOfUser) write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(c)
}

// clientNames are what the clients of grants call themselves, by their IDs.
func (k *Kit) clientNames(ctx context.Context, grants []store.Grant) (names map[string]string, err error) {
	err = k.cfg.Store.View(ctx, func(tx store.Tx) error {
		names = map[string]string{}
		for _, gr := range grants {
			name, err := k.clients.Name(ctx, tx, gr.ClientID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			names[gr.ClientID] = name
		}
		return nil
	})
	return names, err
}
