package main

import (
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/foyer/mail"
)

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// post puts a mail into dir and gives its file a time of its own.
func post(t *testing.T, dir, to, number, subject, text, htmlPart string, arrived time.Time) {
	t.Helper()
	address, err := mail.ParseAddress(to)
	if err != nil {
		t.Fatal(err)
	}
	m := mail.Message{To: address, Subject: subject, Text: text, HTML: htmlPart}
	if err := (mail.Folder{Dir: dir, From: "Notes <notes@example.com>"}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	l := letter{Address: address.String(), Number: number}
	if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(l.File())), arrived, arrived); err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, w *httptest.ResponseRecorder, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d without %q:\n%s", w.Code, want, w.Body)
		}
	}
}

func lacks(t *testing.T, w *httptest.ResponseRecorder, unwanted ...string) {
	t.Helper()
	for _, u := range unwanted {
		if strings.Contains(w.Body.String(), u) {
			t.Errorf("%d with %q:\n%s", w.Code, u, w.Body)
		}
	}
}

func TestAnEmptyInboxSaysWhatWillComeHere(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		w := get(t, inbox(dir), "/dev/mail")
		if w.Code != http.StatusOK {
			t.Fatalf("status %d", w.Code)
		}
		contains(t, w, "No mail yet", `http-equiv="refresh"`)
	}
}

func TestTheListHasTheNewestFirstWithItsCode(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	post(t, dir, "jane@example.com", "000001", "Sign in to Notes", "Your code:\n\n111111\n", "", now.Add(-3*time.Hour))
	post(t, dir, "a/b+c@Bücher.example", "000001", "Sign in to Grüße", "Your code:\n\n22222222\n", "<p>22222222</p>", now)
	post(t, dir, "jane@example.com", "000002", "<b>Connected</b>", "Code 333333 is not alone.\n4444444\n", "", now.Add(-time.Hour))
	w := get(t, inbox(dir), "/dev/mail")
	order := regexp.MustCompile(`(?s)Grüße.*22222222.*&lt;b&gt;Connected.*Sign in to Notes.*111111`)
	if !order.MatchString(w.Body.String()) {
		t.Errorf("not in order:\n%s", w.Body)
	}
	contains(t, w, "To a/b&#43;c@xn--bcher-kva.example", `href="/dev/mail/jane@example.com/000002"`, `<code class="code">111111</code>`)
	lacks(t, w, "333333", "4444444", "<b>Connected")
	if n := strings.Count(w.Body.String(), `class="code"`); n != 2 {
		t.Errorf("%d codes shown, want 2", n)
	}
}

func TestTheListRefreshesUntilItIsHeld(t *testing.T) {
	h := inbox(t.TempDir())
	contains(t, get(t, h, "/dev/mail"), `<meta http-equiv="refresh" content="5">`)
	lacks(t, get(t, h, "/dev/mail?hold"), `http-equiv="refresh"`)
}

func TestEachListedMailOpens(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for _, to := range []string{"jane@example.com", "a/./b@example.com", "100%25@example.com", "what?#x@example.com", "{x}&'y@example.com"} {
		post(t, dir, to, "000001", "Hello "+to, "For "+to+"\n<script>alert(1)</script>\n482913\n", "<p style=\"color:teal\">For you</p>", now)
	}
	h := inbox(dir)
	links := regexp.MustCompile(`href="(/dev/mail/[^"]+)"`).FindAllStringSubmatch(get(t, h, "/dev/mail").Body.String(), -1)
	if len(links) != 5 {
		t.Fatalf("links %q, want 5", links)
	}
	for _, link := range links {
		page := html.UnescapeString(link[1])
		w := get(t, h, page)
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", page, w.Code)
		}
		contains(t, w, "<dt>From</dt>", "<dt>Message-ID</dt>", `<code class="code">482913</code>`, "&lt;script&gt;", `sandbox=""`, link[1]+"/html")
		lacks(t, w, "<script", "color:teal")
		part := get(t, h, page+"/html")
		if part.Code != http.StatusOK || part.Body.String() != `<p style="color:teal">For you</p>` {
			t.Errorf("%s: HTML part is %d %q", page, part.Code, part.Body)
		}
	}
}

func TestAMailWithoutHTMLHasNoFrame(t *testing.T) {
	dir := t.TempDir()
	post(t, dir, "jane@example.com", "000001", "Hello", "Only text\n", "", time.Now())
	h := inbox(dir)
	w := get(t, h, "/dev/mail/jane@example.com/000001")
	contains(t, w, "Only text")
	lacks(t, w, "<iframe", `class="code"`)
	if part := get(t, h, "/dev/mail/jane@example.com/000001/html"); part.Code != http.StatusNotFound {
		t.Errorf("HTML part is %d", part.Code)
	}
}

func TestNoNameLeadsOutOfTheInbox(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "mail")
	post(t, dir, "jane@example.com", "000001", "Hello", "inside\n", "", time.Now())
	post(t, parent, "eve@example.com", "000001", "Hello", "outside\n", "", time.Now())
	if err := os.Symlink(filepath.Join(parent, "eve@example.com"), filepath.Join(dir, "eve@example.com")); err != nil {
		t.Fatal(err)
	}
	h := inbox(dir)
	for _, path := range []string{
		"/dev/mail/joe@example.com/000001", "/dev/mail/jane@example.com/000002", "/dev/mail/jane@example.com/1",
		"/dev/mail/jane@example.com/000001.eml", "/dev/mail/jane@example.com", "/dev/mail/jane@example.com/", "/dev/mail/",
		"/dev/mail/JANE@example.com/000001", "/dev/mail/%20jane@example.com/000001", "/dev/mail/jane%2540example.com/000001",
		"/dev/mail/../eve@example.com/000001", "/dev/mail/%2e%2e/000001", "/dev/mail/%2e%2e%2feve@example.com/000001",
		"/dev/mail/..%2feve@example.com/000001", "/dev/mail/..%5ceve@example.com/000001", "/dev/mail/%252e%252e%252feve@example.com/000001",
		"/dev/mail/jane@example.com/..%2f..%2f..%2feve@example.com%2f000001", "/dev/mail/jane@example.com/%2e%2e", "/dev/mail/./jane@example.com%00/000001",
		"/dev/mail/eve@example.com/000001", "/dev/mail/eve@example.com/000001/html", "/dev/mail/%2fetc%2fpasswd/000001", "/dev/mail//etc/passwd",
	} {
		w := get(t, h, path)
		for range 3 { // the mux sends unclean paths elsewhere
			if to := w.Header().Get("Location"); to != "" {
				w = get(t, h, to)
			}
		}
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, w.Code)
		}
		lacks(t, w, "outside", "inside")
	}
	contains(t, get(t, h, "/dev/mail/joe@example.com/000001"), "No such mail")
	lacks(t, get(t, h, "/dev/mail"), "eve@example.com")
}

func TestFilesThatAreNoMailsArePassedOver(t *testing.T) {
	dir := t.TempDir()
	post(t, dir, "jane@example.com", "000001", "Hello", "x\n", "", time.Now())
	for _, name := range []string{"jane@example.com/000002.eml", "jane@example.com/notes.eml", "jane@example.com/.x.tmp", "no address/000001.eml", "stray.eml"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("not a mail"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := get(t, inbox(dir), "/dev/mail")
	if n := strings.Count(w.Body.String(), `class="card"`); w.Code != http.StatusOK || n != 1 {
		t.Errorf("status %d with %d mails, want 1:\n%s", w.Code, n, w.Body)
	}
}

func TestEveryPageIsLockedDown(t *testing.T) {
	dir := t.TempDir()
	post(t, dir, "jane@example.com", "000001", "Hello", "x\n", "<p>x</p>", time.Now())
	h := inbox(dir)
	for _, path := range []string{"/dev/mail", "/dev/mail/jane@example.com/000001", "/dev/mail/jane@example.com/000001/html", "/dev/mail/nobody/1"} {
		w := get(t, h, path)
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		want := []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}
		if strings.HasSuffix(path, "/html") {
			want = []string{"default-src 'none'", "sandbox", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"}
		}
		for _, directive := range want {
			if !strings.Contains(policy, directive) {
				t.Errorf("%s: policy %q lacks %q", path, policy, directive)
			}
		}
		if strings.Contains(policy, "script-src") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(w.Body.String()); style != nil && !strings.Contains(policy, "'"+hashSource(style[1])+"'") {
			t.Errorf("%s: the policy does not allow the page's own style", path)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/dev/mail", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", w.Code)
	}
}
