package chromium

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Checked is handler, and fails t where what it answers to a browser that loads a page
// lacks a header which keeps the page to itself: no other site shows it or hears of it,
// no cache keeps it, no script reads the cookies, and no browser sends a form on.
// It fails t also where no page was loaded.
func Checked(t testing.TB, handler http.Handler) http.Handler {
	var pages atomic.Int32
	t.Cleanup(func() {
		if pages.Load() == 0 {
			t.Error("no browser has loaded a page")
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Dest") != "document" {
			handler.ServeHTTP(w, r)
			return
		}
		pages.Add(1)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		for _, problem := range problems(r.Method, answer.Result()) {
			t.Errorf("%s %s: %d: %s", r.Method, r.URL.Path, answer.Code, problem)
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the browser may have gone
	})
}

func problems(method string, res *http.Response) (found []string) {
	on, download := res.Header.Get("Location") != "", res.Header.Get("Content-Disposition") != ""
	want := map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
	if !on {
		want["X-Frame-Options"], want["X-Content-Type-Options"] = "DENY", "nosniff"
	}
	if !on && !download {
		want["Content-Type"], want["Cross-Origin-Opener-Policy"] = "text/html; charset=utf-8", "same-origin"
		for _, part := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, part) {
				found = append(found, "Content-Security-Policy: "+policy+", want "+part)
			}
		}
	}
	if on && method == http.MethodPost && res.StatusCode != http.StatusSeeOther {
		found = append(found, "a form is sent on, want 303")
	}
	for name, value := range want {
		if got := res.Header.Get(name); got != value {
			found = append(found, name+": "+got+", want "+value)
		}
	}
	for _, c := range res.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			found = append(found, "the cookie "+c.Name+" is not HttpOnly, Lax, and of this host")
		}
	}
	return found
}
