package signin

import (
	"bytes"
	"io"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// However a client calls itself, its mail has one recipient, the headers of
// every other mail, and the digits alone on one line.
func TestT64NoClientsNameLeavesItsPlaceInTheMail(t *testing.T) {
	var headers []string
	for _, name := range []string{
		"Inspector",
		"Eve\r\nBcc: eve@example.com\r\n\r\nThe code is 111111",
		"\n\n111111\n\n",
		"=?utf-8?q?Eve=0ABcc:_eve@example.com?=",
		"Eve\x00\x1b[31m\u202e\u2066\u200b",
		"<script>alert(1)</script>",
		`Eve", "to": "eve@example.com`,
		strings.Repeat("long ", 10_000),
		strings.Repeat("l", 10_000),
		"\xff\xfe",
		"",
	} {
		r := newRoom(t)
		r.update(func(tx store.Tx) error {
			return tx.PutClient(t.Context(), store.Client{ID: "client", Name: name, RedirectURIs: []string{"https://app.example/cb"}, Created: r.now})
		})
		g := r.guest()
		right := r.asks(g, "ann@example.com")
		box := mail.Folder{Dir: t.TempDir(), From: "notes@example.com"}
		for _, m := range r.flush() {
			if err := box.Send(t.Context(), m); err != nil {
				t.Fatalf("%.40q: %v", name, err)
			}
		}
		raw, err := os.ReadFile(filepath.Join(box.Dir, "ann@example.com", "000001.eml"))
		if err != nil {
			t.Fatalf("%.40q: %v", name, err)
		}
		m, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%.40q: %v", name, err)
		}
		var names []string
		for key, values := range m.Header {
			names = append(names, key)
			if len(values) != 1 {
				t.Errorf("%.40q: %s: %q", name, key, values)
			}
		}
		slices.Sort(names)
		if headers == nil {
			headers = names
		}
		if !slices.Equal(names, headers) || m.Header.Get("To") != "<ann@example.com>" || m.Header.Get("Subject") != "Sign in to Notes" {
			t.Errorf("%.40q: the headers are %v", name, m.Header)
		}
		body, err := io.ReadAll(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		var alone []string
		for line := range strings.Lines(string(body)) {
			if line = strings.TrimSpace(line); len(line) == digits && strings.Trim(line, "0123456789") == "" {
				alone = append(alone, line)
			}
		}
		if !slices.Equal(alone, []string{right}) {
			t.Errorf("%.40q: digits alone on a line: %q, want %s", name, alone, right)
		}
		if strings.Contains(string(body), "<script>") && strings.Count(string(body), "<script>") != strings.Count(string(body), "“<script>") {
			t.Errorf("%.40q: the mail has an element of its own:\n%s", name, body)
		}
	}
}
