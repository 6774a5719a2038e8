package foyertest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/foyer/mail"
)

// Mail waits for a mail to address that it has not returned before, since mails
// go out behind the answer, and returns the newest: its header, and its text and
// HTML as they are.
func (h *House) Mail(t testing.TB, address string) string {
	t.Helper()
	return h.mails.newest(t, normalised(t, address), anyMail)
}

// Digits waits as [House.Mail] does for a mail with a one-time code, and returns the
// code. Mails without one are passed over.
func (h *House) Digits(t testing.TB, address string) string {
	t.Helper()
	found := digits.FindAllStringSubmatch(h.mails.newest(t, normalised(t, address), digits.MatchString), -1)
	if len(found) != 1 {
		t.Fatalf("foyertest: the mail to %s has %d lines of digits, want one", address, len(found))
	}
	return found[0][1]
}

func anyMail(string) bool { return true }

var digits = regexp.MustCompile(`(?m)^([0-9]{6}|[0-9]{8})\r?$`)

// A mailbox is the folder of a [mail.Folder].
type mailbox struct {
	dir  string
	mu   sync.Mutex
	read map[string]int // how many mails were returned or skipped, by address
}

const patience = 20 * time.Second

// newest waits for a mail that is wanted.
func (b *mailbox) newest(t testing.TB, address string, wanted func(text string) bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := b.next(address, wanted)
		if err != nil {
			t.Fatalf("foyertest: %v", err)
		}
		if text != "" {
			return text
		}
		select {
		case <-ctx.Done():
			t.Fatalf("foyertest: no new mail came to %s; where limits apply, an address gets one a minute", address)
		case <-tick.C:
		}
	}
}

// next returns the newest mail that is wanted, or "" for none that was not read. Then
// it takes all for read.
func (b *mailbox) next(address string, wanted func(text string) bool) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	folder := filepath.Join(b.dir, url.PathEscape(address))
	files, _ := os.ReadDir(folder) // which is not there before the first mail
	files = slices.DeleteFunc(files, func(f os.DirEntry) bool { return filepath.Ext(f.Name()) != ".eml" })
	for n := len(files); n > b.read[address]; n-- {
		text, err := os.ReadFile(filepath.Join(folder, files[n-1].Name()))
		if err != nil {
			return "", err
		}
		if wanted(string(text)) {
			b.read[address] = len(files)
			return string(text), nil
		}
	}
	return "", nil
}

func normalised(t testing.TB, address string) string {
	t.Helper()
	a, err := mail.ParseAddress(address)
	if err != nil {
		t.Fatalf("foyertest: %v", err)
	}
	return a.String()
}
