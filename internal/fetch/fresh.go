package fetch

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Document is the body of an answer, and how long its host lets us keep it.
type Document struct {
	Body    []byte        // at most 64 KiB; nobody has parsed it
	Fresh   time.Duration // from now on; 0 where the host does not say, or wants to be asked each time
	NoStore bool          // it must not be kept at all
}

// document reads the headers by which a host says so (RFC 9111 sections 4.2 and
// 5.2.2). What it says twice, or not clearly, counts as the shortest time.
func document(body []byte, h http.Header, now time.Time) Document {
	d := Document{Body: body}
	directives := map[string]string{}
	for _, line := range h.Values("Cache-Control") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			name = strings.ToLower(strings.TrimSpace(name))
			value = strings.Trim(strings.TrimSpace(value), `"`)
			if before, twice := directives[name]; twice && before != value {
				value = "0"
			}
			directives[name] = value
		}
	}
	_, d.NoStore = directives["no-store"]
	_, ask := directives["no-cache"]
	maxAge, aged := directives["max-age"]
	switch {
	case d.NoStore || ask:
		return d
	case aged:
		d.Fresh = seconds(maxAge)
	default:
		d.Fresh = lifetime(h, now)
	}
	d.Fresh = max(d.Fresh-seconds(h.Get("Age")), 0)
	return d
}

// lifetime is the time from Date to Expires.
func lifetime(h http.Header, now time.Time) time.Duration {
	end, err := http.ParseTime(h.Get("Expires"))
	if err != nil {
		return 0 // also for "0" and "-1", which mean that
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the host's clock, which also wrote Expires
	}
	return max(end.Sub(now), 0)
}

// seconds reads a number of seconds, of which more than a year is a year. What
// is no number is 0.
func seconds(s string) time.Duration {
	const year = 365 * 24 * 60 * 60
	n, _ := strconv.ParseUint(s, 10, 63) // 0 for no number, the greatest one for a greater
	return time.Duration(min(n, year)) * time.Second
}
