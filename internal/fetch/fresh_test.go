package fetch

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// how long a host lets us keep a document.
func TestHowLongADocumentIsFresh(t *testing.T) {
	now := time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	const year = 365 * 24 * time.Hour
	for _, test := range []struct {
		headers string // "Name: value", one a line
		want    time.Duration
		noStore bool
	}{
		{"", 0, false},
		{"Cache-Control: max-age=60", time.Minute, false},
		{"Cache-Control: public, Max-Age=\"60\" , immutable", time.Minute, false},
		{"Cache-Control: private\nCache-Control: max-age=60", time.Minute, false},
		{"Cache-Control: max-age=60\nAge: 20", 40 * time.Second, false},
		{"Cache-Control: max-age=60\nAge: 90", 0, false},
		{"Cache-Control: max-age=60\nAge: x", time.Minute, false},
		{"Cache-Control: max-age=60\nExpires: " + at(time.Hour), time.Minute, false},
		{"Cache-Control: max-age=0", 0, false},
		{"Cache-Control: max-age", 0, false},
		{"Cache-Control: max-age=-1", 0, false},
		{"Cache-Control: max-age=1.5", 0, false},
		{"Cache-Control: max-age=99999999999999999999999999", year, false},
		{"Cache-Control: max-age=60, max-age=60", time.Minute, false},
		{"Cache-Control: max-age=60, max-age=3600", 0, false},
		{"Cache-Control: s-maxage=60", 0, false},
		{"Cache-Control: no-cache, max-age=60", 0, false},
		{"Cache-Control: no-store", 0, true},
		{"Cache-Control: max-age=60, No-Store", 0, true},
		{"Cache-Control: max-age=60\nCache-Control: no-store", 0, true},
		{"Expires: " + at(time.Hour), time.Hour, false},
		{"Expires: " + at(time.Hour) + "\nAge: 600", 50 * time.Minute, false},
		{"Expires: " + at(time.Hour) + "\nDate: " + at(30*time.Minute), 30 * time.Minute, false},
		{"Expires: " + at(-time.Hour), 0, false},
		{"Expires: 0", 0, false},
		{"Expires: tomorrow", 0, false},
	} {
		h := http.Header{}
		for line := range strings.Lines(test.headers) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			h.Add(name, value)
		}
		d := document([]byte("{}"), h, now)
		if d.Fresh != test.want || d.NoStore != test.noStore || string(d.Body) != "{}" {
			t.Errorf("%q: %v, no-store %v; want %v, %v", test.headers, d.Fresh, d.NoStore, test.want, test.noStore)
		}
	}
}
