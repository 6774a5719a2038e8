package foyer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/pages"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

// An Identity is how people say in their browser who they are, in the place of the
// digits that the kit mails: by Fields, which Verify looks at, or on your own Page, of
// which Current knows. In a chat they are mailed digits all the same, so that whoever
// you vouch for has an address, and is the same user in both.
type Identity struct {
	// Fields are what the sign-in page asks for.
	Fields []Field

	// Verify returns who gave these values, by the names of the fields. It returns
	// [ErrNobody] for whoever is not known, or gave a wrong password: the page says the
	// same of both. It has ten seconds; Foyer limits wrong answers for each browser and
	// network address, and you for each account. Any other error is a fault.
	Verify func(ctx context.Context, values map[string]string) (Person, error)

	// Page is the URL of your own sign-in page, on a host whose cookies come with
	// requests to the kit. It is sent the parameter next, a URL of the
	// issuer to which the browser goes back, and prompt: "login" where a sign-in of the
	// last minutes is needed, "select_account" where another account is wanted (OpenID
	// Connect Core section 3.1.2.1). Send browsers to no next of another origin.
	Page string

	// Current returns who is signed in on your side, by the cookies of a request, or
	// [ErrNobody]. It is asked at each request for a page, and what it says counts at
	// once. It is called for GET and POST, and must not read the body.
	Current func(*http.Request) (Person, error)

	// Level is one of Config.Levels: how strongly people are authenticated so, at
	// most. Optional; empty means "email".
	Level string
}

// A Field is one of a sign-in page.
type Field struct {
	Name         string // of HTML, such as "customer"
	Label        string // what people read
	Hint         string // below it; optional
	Type         string // of HTML: "text", "email", "tel", "number" or "password"; empty means "text"
	Autocomplete string // of HTML, such as "username" or "current-password"; optional
	Optional     bool   // may be left empty
}

// A Person is who signed in.
type Person struct {
	Email    string    // that you vouch for: it names the user
	Level    string    // where it is weaker than Identity.Level: one of Config.Levels
	AuthTime time.Time // of the sign-in; zero means now, and is an error of Current
}

// ErrNobody is returned by Identity.Verify and Identity.Current.
var ErrNobody = pages.ErrNobody

// check returns what is wrong with the identity.
func (i *Identity) check(cfg *Config) error {
	if i == nil {
		return nil
	}
	var problems []error
	byFields, elsewhere := len(i.Fields) > 0 && i.Verify != nil, i.Page != "" && i.Current != nil
	if byFields == elsewhere || byFields && (i.Page != "" || i.Current != nil) || elsewhere && (len(i.Fields) > 0 || i.Verify != nil) {
		problems = append(problems, errors.New("Identity: it takes Fields and Verify, or Page and Current"))
	}
	if u, err := url.Parse(i.Page); elsewhere && (err != nil || u.Host == "" || u.Fragment != "" || u.Scheme != "https" && !strings.HasPrefix(cfg.Issuer, u.Scheme+":")) {
		problems = append(problems, fmt.Errorf("Identity.Page: %q is no https URL without a fragment", i.Page))
	}
	if !slices.Contains(cfg.levels(), i.level()) {
		problems = append(problems, fmt.Errorf("Identity.Level: %q is none of Levels", i.level()))
	}
	names := map[string]bool{"form": true}
	for _, f := range i.Fields {
		if f.Name == "" || f.Label == "" || names[f.Name] || !slices.Contains([]string{"", "text", "email", "tel", "number", "password"}, f.Type) {
			problems = append(problems, fmt.Errorf("Identity.Fields: %q needs a name that comes once and is not \"form\", a label, and a type of text, email, tel, number or password", f.Name))
		}
		names[f.Name] = true
	}
	return errors.Join(problems...)
}

// level is how strongly people are authenticated in a browser, at most.
func (i *Identity) level() string {
	if i == nil || i.Level == "" {
		return signin.LevelBrowser
	}
	return i.Level
}

// identity is that of the pages.
func (k *Kit) identity() *pages.Identity {
	i := k.cfg.Identity
	if i == nil {
		return nil
	}
	p := &pages.Identity{Page: i.Page}
	for _, f := range i.Fields {
		if f.Type == "" {
			f.Type = "text"
		}
		p.Fields = append(p.Fields, layout.Field{Name: f.Name, Label: words.As(f.Label), Hint: words.As(f.Hint), Type: f.Type, Autocomplete: f.Autocomplete, Optional: f.Optional})
	}
	p.Verify = func(ctx context.Context, values map[string]string) (signin.Proven, error) {
		person, err := i.Verify(ctx, values)
		if err == nil && person.AuthTime.IsZero() {
			person.AuthTime = k.now()
		}
		return k.proven(person, err)
	}
	p.Current = func(r *http.Request) (signin.Proven, error) { return k.proven(i.Current(r)) }
	return p
}

// proven is person, where the operator's check may name them so.
func (k *Kit) proven(person Person, err error) (signin.Proven, error) {
	if err != nil {
		return signin.Proven{}, err
	}
	levels, most := k.cfg.levels(), k.cfg.Identity.level()
	level := cmp.Or(person.Level, most)
	email, err := mail.ParseAddress(person.Email)
	switch {
	case err != nil:
		return signin.Proven{}, fmt.Errorf("foyer: Identity: %w", err)
	case !slices.Contains(levels, level) || slices.Index(levels, level) > slices.Index(levels, most):
		return signin.Proven{}, fmt.Errorf("foyer: Identity: level %q is none of Levels up to %q", level, most)
	case person.AuthTime.IsZero(), person.AuthTime.After(k.now().Add(time.Minute)):
		return signin.Proven{}, errors.New("foyer: Identity: AuthTime is missing, or in the future")
	}
	return signin.Proven{Email: email, Level: level, AuthTime: person.AuthTime}, nil
}
