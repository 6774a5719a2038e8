package chromium

import (
	"net/http"
	"testing"
)

// Every header that a page must have is missed where it lacks, and nothing else is.
func TestWhatAPageLacksIsMissed(t *testing.T) {
	page := func(change func(http.Header)) *http.Response {
		res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{
			"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"no-store"}, "Referrer-Policy": {"no-referrer"}, "X-Frame-Options": {"DENY"},
			"X-Content-Type-Options": {"nosniff"}, "Cross-Origin-Opener-Policy": {"same-origin"},
			"Content-Security-Policy": {"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
			"Set-Cookie":              {"session=x; Path=/; HttpOnly; SameSite=Lax"}}}
		change(res.Header)
		return res
	}
	if found := problems(http.MethodGet, page(func(http.Header) {})); len(found) != 0 {
		t.Errorf("a page that has all: %q", found)
	}
	for header := range page(func(http.Header) {}).Header {
		if found := problems(http.MethodGet, page(func(h http.Header) { h.Del(header) })); (len(found) > 0) != (header != "Set-Cookie") {
			t.Errorf("without %s: %q", header, found)
		}
	}
	for _, cookie := range []string{"a=b; Path=/; SameSite=Lax", "a=b; Path=/; HttpOnly", "a=b; HttpOnly; SameSite=Lax", "a=b; Path=/; HttpOnly; SameSite=Lax; Domain=example.com"} {
		if found := problems(http.MethodGet, page(func(h http.Header) { h.Set("Set-Cookie", cookie) })); len(found) != 1 {
			t.Errorf("%s: %q", cookie, found)
		}
	}
	for status, fine := range map[int]bool{http.StatusSeeOther: true, http.StatusFound: false, http.StatusTemporaryRedirect: false} {
		on := page(func(h http.Header) { h.Set("Location", "/account") })
		on.StatusCode = status
		if found := problems(http.MethodPost, on); (len(found) == 0) != fine {
			t.Errorf("a form is answered by %d: %q", status, found)
		}
	}
}
