package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// database is the name of the file with users and grants.
const database = "foyer.db"

// A place is where an app keeps its data.
type place struct {
	Data string `placeholder:"DIR" help:"Where the data is kept. Default: a folder under your data directory."`
	App  string `default:"journal" help:"Which app: journal, appointments, or conformance for the official conformance suite."`
}

// known refuses an app that there is not.
func (p *place) known() error { return oneOf("--app", p.App, appNames...) }

// oneOf refuses by name a value of flag that is not one of known.
func oneOf(flag, value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%s %s is %w; there is: %s", flag, value, errLater, strings.Join(known, ", "))
}

// dir returns the folder of the data, which need not be there.
func (p *place) dir() (string, error) {
	dir := p.Data
	if dir == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fmt.Errorf("no place for the data: %w; name one with --data", err)
			}
			base = filepath.Join(home, ".local", "share")
		}
		dir = filepath.Join(base, "foyer", "demo")
		if p.App != appNames[0] {
			dir += "-" + p.App // tokens of one app are nothing to another
		}
	}
	return filepath.Abs(dir)
}

// open opens the database that is there, and makes none. A server may serve it
// meanwhile.
func (p *place) open() (store.Store, error) {
	if err := p.known(); err != nil {
		return nil, err
	}
	dir, err := p.dir()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, database)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database %s; name its folder with --data, or make one with: foyer demo", path)
	}
	return sqlite.Open(path)
}

// secret is the one that the demo keeps beside its database.
func (p *place) secret() (string, error) {
	dir, err := p.dir()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, "secret"))
	return strings.TrimSpace(string(text)), err
}

// with runs do with the rules over the database. They make no token, and need no
// secret; where there is one, events name who has approved something by it.
func (p *place) with(do func(*grant.Grants) error) error {
	db, err := p.open()
	if err != nil {
		return err
	}
	var keys secret.Keys
	if plain, err := p.secret(); err == nil {
		if known, err := secret.NewKeys([]string{plain}); err == nil {
			keys = known
		}
	}
	err = do(grant.New(db, keys, grant.Lifetimes{}, grant.JWTs{}, time.Now))
	return errors.Join(inWords(err), db.Close())
}
