package main

import (
	"slices"
	"sync"
)

// A book is one to lend.
type book struct {
	Title string `json:"title"`
	Lent  bool   `json:"lent"`
}

// A library knows in memory who has which book: the web pages and the MCP server
// are two doors of one library. Its methods may be called at once.
type library struct {
	mu     sync.Mutex
	titles []string
	with   map[string]string // title to the owner of the loan
}

func newLibrary() *library {
	return &library{titles: []string{"Emma", "Middlemarch", "Moby-Dick"}, with: map[string]string{}}
}

// list returns all books.
func (l *library) list() []book {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]book, len(l.titles))
	for i, title := range l.titles {
		all[i] = book{title, l.with[title] != ""}
	}
	return all
}

// borrow gives title to owner, unless somebody has it or it does not exist.
func (l *library) borrow(owner, title string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case owner == "":
		return errNobody
	case !slices.Contains(l.titles, title):
		return errUnknown
	case l.with[title] != "" && l.with[title] != owner:
		return errLent
	}
	l.with[title] = owner
	return nil
}

// loans returns what owner has.
func (l *library) loans(owner string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.titles), func(title string) bool { return owner == "" || l.with[title] != owner })
}
