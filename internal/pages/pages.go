// Package pages are the pages on which people sign in in their browser, say yes or no
// to a client, confirm what a tool is to do, and see and end what they have allowed.
// They work without scripts. A handler parses, asks one rule, and writes what the rule
// answered.
package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/archive"
	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/secret"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// Config is what the pages are made of.
type Config struct {
	App        string
	Look       *layout.Look
	Issuer     string // https but on loopback
	Store      store.Store
	Keys       secret.Keys
	SignIn     *signin.SignIn
	Identity   *Identity                                     // nil for mailed digits
	Consent    func(http.ResponseWriter, *http.Request, Ask) // writes the page that asks; nil for ours
	Clients    *client.Clients
	Grants     *grant.Grants
	Scopes     gate.Scopes
	Browser    func(*http.Request) (store.Hash, bool)            // that an authorization request came by
	MayLookUp  func(*http.Request, string) (time.Duration, bool) // a client, which may make a strange host answer
	Operations *operation.Rules
	Levels     gate.Levels
	GuestData  GuestData                                                    // or nil
	Export     func(context.Context, grant.Visit) (*archive.Archive, error) // what is kept of a user
	AppData    bool                                                         // what is kept of a user has a part of the application's
	Confirms   func(tool string) gate.Confirmation                          // how strongly a tool is confirmed
	Wake       func()                                                       // says that a mail waits
	Now        func() time.Time
	Log        *slog.Logger
}

// Pages serve them. They are safe for concurrent use.
type Pages struct{ Config }

// New returns the pages of cfg.
func New(cfg Config) *Pages { return &Pages{cfg} }

// ConfirmPath is that of the page on which an operation is confirmed.
func ConfirmPath(id string) string { return "/confirm/" + url.PathEscape(id) }

// Mount adds the routes to mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /confirm/{id}", p.confirm)
	mux.HandleFunc("POST /confirm/{id}", p.decide)
	mux.HandleFunc("GET "+ConsentPath, p.consent)
	mux.HandleFunc("POST "+ConsentPath, p.decideConsent)
	mux.HandleFunc("GET "+AccountPath, p.account)
	mux.HandleFunc("POST "+AccountPath, p.disconnectAll)
	mux.HandleFunc("GET "+AccountPath+"/{grant}", p.connection)
	mux.HandleFunc("POST "+AccountPath+"/{grant}", p.change)
	mux.HandleFunc("POST "+exportPath, p.export)
	mux.HandleFunc("POST "+deletePath, p.askToDelete)
	mux.HandleFunc("POST "+leavePath, p.deleteAccount)
	mux.HandleFunc("POST "+keepPath, p.keep)
	mux.HandleFunc("GET "+ClaimPath+"{link}", p.claim)
	mux.HandleFunc("POST "+ClaimPath+"{link}", p.decideClaim)
	mux.HandleFunc("GET "+DisconnectPath+"{link}", p.notice)
	mux.HandleFunc("POST "+DisconnectPath+"{link}", p.endNoticed)
	mux.HandleFunc("POST /sign-in", p.signIn)
	mux.HandleFunc("POST /sign-in/code", p.code)
	mux.HandleFunc("POST /sign-out", p.signOut)
}

const maxForm = 64 << 10 // bytes; a request that has the longest state is 25 KiB of a form

// A form is what a page of ours has sealed into itself: for this browser, for a
// while, and for one thing.
type form struct {
	Session []byte // hash of the cookie
	Next    string // path of the page to go on to
	About   string // of a decision: what was shown
	Email   string // of digits: where they were mailed
	Issued  time.Time
}

const (
	formPurpose = "form of a page"
	formLives   = 30 * time.Minute
)

// seal makes the hidden value of a form for the browser of r.
func (p *Pages) seal(session store.Hash, f form) (layout.Hidden, error) {
	f.Session, f.Issued = session[:], p.Now()
	sealed, err := p.Keys.Seal(formPurpose, f)
	return layout.Hidden{Name: "form", Value: sealed.Reveal()}, err
}

// unseal reads a form that came back. It reports false for what no page of ours has
// sent, or another browser got, or another site sends.
func (p *Pages) unseal(w http.ResponseWriter, r *http.Request) (f form, session store.Hash, ok bool) {
	var crossOrigin http.CrossOriginProtection
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	cookie, known := p.cookie(r)
	if crossOrigin.Check(r) != nil || r.ParseForm() != nil || !known {
		return form{}, store.Hash{}, false
	}
	session = cookie.Hash()
	err := p.Keys.Open(formPurpose, r.PostForm.Get("form"), &f)
	if err != nil || string(f.Session) != string(session[:]) || !p.Now().Before(f.Issued.Add(formLives)) || !isPath(f.Next) {
		return form{}, store.Hash{}, false
	}
	return f, session, true
}

// isPath reports whether next is a page of ours. It was sealed by us.
func isPath(next string) bool { return strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") }

// write writes page.
func (p *Pages) write(w http.ResponseWriter, r *http.Request, status int, page layout.Page) {
	page.App = p.App
	p.Look.Write(w, r, status, page)
}

// fault logs err, and tells that something went wrong.
func (p *Pages) fault(w http.ResponseWriter, r *http.Request, err error) {
	p.logFault(r, err)
	p.write(w, r, http.StatusInternalServerError, failed)
}

func (p *Pages) logFault(r *http.Request, err error) {
	if r.Context().Err() == nil { // else the browser has gone
		p.Log.ErrorContext(r.Context(), "fault", "method", r.Method, "path", "/"+strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 2)[0], "err", err)
	}
}

// signedIn returns who is signed in in the browser of r. Where nobody is, it shows
// the page on which they can, and reports false; so it does for who is about to be
// deleted, and can do nothing but stay.
func (p *Pages) signedIn(w http.ResponseWriter, r *http.Request) (store.Session, store.User, bool) {
	there, u, ok := p.here(w, r)
	if !ok {
		return there, u, false
	}
	switch d, leaving, err := p.Grants.Deletion(r.Context(), u.ID); {
	case err != nil:
		p.fault(w, r, err)
		return there, u, false
	case leaving:
		p.farewell(w, r, there, u, d)
		return there, u, false
	}
	return there, u, true
}

// here is signedIn also for who is about to be deleted.
func (p *Pages) here(w http.ResponseWriter, r *http.Request) (store.Session, store.User, bool) {
	there, u, err := p.who(w, r)
	switch {
	case errors.Is(err, signin.ErrNoSession):
		p.askAddress(w, r, way{session: p.start(w, r), next: back(r)})
		return there, u, false
	case err != nil:
		p.fault(w, r, err)
		return there, u, false
	}
	return there, u, true
}

// back is where who had to sign in first goes on. What was posted to a path of its own
// is not kept.
func back(r *http.Request) string {
	switch r.URL.Path {
	case exportPath, deletePath, leavePath, keepPath:
		return AccountPath
	}
	return r.URL.Path
}

// who is signed in in the browser of r. It refuses with [signin.ErrNoSession].
func (p *Pages) who(w http.ResponseWriter, r *http.Request) (there store.Session, u store.User, err error) {
	err = signin.ErrNoSession
	if cookie, ok := p.cookie(r); ok {
		there, u, err = p.SignIn.Session(r.Context(), cookie.Hash())
	}
	if p.Identity.elsewhere() {
		return p.current(w, r, there, u, err)
	}
	return there, u, err
}

// addr is where r comes from.
func addr(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr()
}

// asker names who asks for an operation: the client, as it calls itself, and where
// its codes are sent.
func (p *Pages) asker(ctx context.Context, op store.Operation) (name words.Text, place string, err error) {
	err = p.Store.View(ctx, func(tx store.Tx) error {
		gr, err := tx.Grant(ctx, op.GrantID)
		if err != nil {
			return err
		}
		place = gr.RedirectHost
		called, err := p.Clients.Name(ctx, tx, gr.ClientID)
		name = words.Client(gr.ClientID, called)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return name, place, err
}
