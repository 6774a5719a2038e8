package pages

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// GuestData is what the application keeps for guests.
type GuestData interface {
	Kept(ctx context.Context, guestID string) (string, error)
	Move(ctx context.Context, guestID, userID string) error
}

// aboutKept begins what a form is about that moves what a guest has kept. The guest
// follows, and the words that the user has seen.
const aboutKept = "kept "

// kept returns whose guest the user of a grant was in this browser, and what that guest
// has kept, in words; nothing where there is nothing to take along here.
func (p *Pages) kept(r *http.Request, gr store.Grant) (guestID, kept string, err error) {
	browser, known := p.Browser(r)
	if p.GuestData == nil || !known {
		return "", "", nil
	}
	guestID, err = p.Grants.GuestOf(r.Context(), gr.UserID, gr.ID, browser)
	if errors.Is(err, grant.ErrElsewhere) || errors.Is(err, grant.ErrUnknown) {
		return "", "", nil
	} else if err != nil {
		return "", "", err
	}
	kept, err = p.GuestData.Kept(r.Context(), guestID)
	return guestID, kept, err
}

// offerKept is the part of the page about a grant that offers to take along what its user
// has kept before signing in. Where that cannot be found out, it offers nothing.
func (p *Pages) offerKept(r *http.Request, there store.Session, u store.User, gr store.Grant) (sections []layout.Section) {
	guestID, kept, err := p.kept(r, gr)
	if err != nil {
		p.logFault(r, err)
	}
	if kept == "" || err != nil {
		return nil
	}
	hidden, err := p.seal(there.Hash, form{Next: GrantPath(gr.ID), About: aboutKept + guestID + " " + kept})
	if err != nil {
		p.logFault(r, err)
		return nil
	}
	return []layout.Section{keptSection(p.App, kept, mail.Masked(u.Email), layout.Form{Action: GrantPath(gr.ID), Hidden: []layout.Hidden{hidden}})}
}

// takeAlong answers a button of that part: the user of gr has said yes or no to moving
// what about names.
func (p *Pages) takeAlong(w http.ResponseWriter, r *http.Request, u store.User, gr store.Grant, about string) {
	back := template.URL(GrantPath(gr.ID))
	if r.PostForm.Get("do") != "take" {
		p.write(w, r, http.StatusOK, leftApart(back))
		return
	}
	guestID, kept, err := p.kept(r, gr)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	if seenGuest, seen, _ := strings.Cut(about, " "); kept == "" || guestID != seenGuest || kept != seen {
		p.write(w, r, http.StatusConflict, changedKept(back))
		return
	}
	if err := p.GuestData.Move(r.Context(), guestID, u.ID); err != nil {
		p.fault(w, r, err)
		return
	}
	p.write(w, r, http.StatusOK, takenAlong(kept, mail.Masked(u.Email), back))
}
