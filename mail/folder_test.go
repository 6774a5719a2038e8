package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"
)

const sender = "Notes <notes@example.com>"

func message(t testing.TB) Message {
	return Message{
		To:      address(t, "jane@example.com"),
		Subject: "Sign in to Notes",
		Text:    "You asked to sign in.\nGive the assistant this code:\n\n482913\n\nDidn’t ask? Ignore it.\n",
		HTML:    "<p>Give the assistant this code:</p>\n<p>\n482913\n</p>\n",
	}
}

func send(t testing.TB, f Folder, m Message) {
	t.Helper()
	if err := f.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAMailHasItsTextFirstAndItsHTMLSecond(t *testing.T) {
	f := Folder{Dir: t.TempDir(), From: sender}
	m := message(t)
	send(t, f, m)
	parsed, err := netmail.ReadMessage(bytes.NewReader(read(t, f.Dir, "jane@example.com", "000001.eml")))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q, %v", kind, err)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	text, html := nextPart(t, parts, "text/plain; charset=UTF-8", "8bit"), nextPart(t, parts, "text/html; charset=UTF-8", "base64")
	if want := strings.ReplaceAll(m.Text, "\n", "\r\n"); string(text) != want {
		t.Errorf("text is %q, want %q", text, want)
	}
	decoded, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(html)))
	if err != nil || string(decoded) != m.HTML {
		t.Errorf("HTML is %q, %v; want %q", decoded, err, m.HTML)
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("after two parts: %v", err)
	}
}

func nextPart(t *testing.T, parts *multipart.Reader, kind, encoding string) []byte {
	t.Helper()
	part, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if got := part.Header.Get("Content-Type"); got != kind {
		t.Errorf("part has Content-Type %q, want %q", got, kind)
	}
	if got := part.Header.Get("Content-Transfer-Encoding"); got != encoding {
		t.Errorf("part has Content-Transfer-Encoding %q, want %q", got, encoding)
	}
	content, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// The expression is the one that a script would give to grep -E.
var codeLine = regexp.MustCompile(`(?m)^[0-9]{6}\r?$`)

func TestAScriptFindsTheCodeOnce(t *testing.T) {
	f := Folder{Dir: t.TempDir(), From: sender}
	m := message(t)
	n := 0
	for _, html := range []string{
		"",
		m.HTML,
		"482913",
		"\n482913\n\n482913\r\n",
		"<pre>" + strings.Repeat("482913\n", 500) + "</pre>",
		strings.Repeat("x", 75) + "482913",
		strings.Repeat("\xd7\x6d\xf8", 1000), // is all digits in base64
		strings.Repeat("\xd7\x6d\xf8", 1000) + "\xd7\x6d",
	} {
		for _, text := range []string{m.Text, "482913", "482913\n", "482913\r\n", "\r482913\r", strings.Repeat("long ", 190) + "\n482913\n" + strings.Repeat("1", 500)} {
			m.Text, m.HTML = text, html
			send(t, f, m)
			n++
			raw := read(t, f.Dir, "jane@example.com", fmt.Sprintf("%06d.eml", n))
			if found := codeLine.FindAll(raw, -1); len(found) != 1 || string(bytes.TrimSpace(found[0])) != "482913" {
				t.Errorf("text %.40q and HTML %.40q: found %q in\n%.400s", text, html, found, raw)
			}
		}
	}
}

func TestAMailDoesNotNameItsMachine(t *testing.T) {
	f := Folder{Dir: t.TempDir(), From: "Notes <notes@Bücher.example>"}
	send(t, f, message(t))
	send(t, f, message(t))
	var ids []string
	for _, name := range []string{"000001.eml", "000002.eml"} {
		parsed, err := netmail.ReadMessage(bytes.NewReader(read(t, f.Dir, "jane@example.com", name)))
		if err != nil {
			t.Fatal(err)
		}
		id := parsed.Header.Get("Message-ID")
		if !regexp.MustCompile(`^<[A-Z2-7]{26}@xn--bcher-kva\.example>$`).MatchString(id) || slices.Contains(ids, id) {
			t.Errorf("Message-ID %q after %q", id, ids)
		}
		ids = append(ids, id)
		if got := parsed.Header.Get("From"); got != `"Notes" <notes@xn--bcher-kva.example>` {
			t.Errorf("From is %q", got)
		}
		if date, err := parsed.Header.Date(); err != nil || time.Since(date) > time.Hour {
			t.Errorf("Date is %v, %v", date, err)
		}
	}
}

func TestT64MessagesThatCouldAddAHeaderAreRefused(t *testing.T) {
	f := Folder{Dir: filepath.Join(t.TempDir(), "mail"), From: sender}
	for sentence, change := range map[string]func(*Message){
		"no recipient":               func(m *Message) { m.To = Address{} },
		"CR LF in the subject":       func(m *Message) { m.Subject = "Hello\r\nBcc: joe@example.com" },
		"LF in the subject":          func(m *Message) { m.Subject = "Hello\nBcc: joe@example.com" },
		"CR in the subject":          func(m *Message) { m.Subject = "Hello\rBcc: joe@example.com" },
		"LF at the subject's end":    func(m *Message) { m.Subject = "Hello\n" },
		"NUL in the subject":         func(m *Message) { m.Subject = "Hello\x00" },
		"a line separator":           func(m *Message) { m.Subject = "Hello\u2028Bcc: joe@example.com" },
		"a next line":                func(m *Message) { m.Subject = "Hello\u0085Bcc: joe@example.com" },
		"an encoded word":            func(m *Message) { m.Subject = "=?utf-8?q?Hello=0D=0ABcc:_joe@example.com?=" },
		"a subject that is not text": func(m *Message) { m.Subject = "Hello\xff" },
		"an endless subject":         func(m *Message) { m.Subject = strings.Repeat("x", 256) },
		"CR LF in the ID":            func(m *Message) { m.ID = "1\r\nBcc: joe@example.com" },
		"a domain in the ID":         func(m *Message) { m.ID = "1@example.net> <2" },
		"an endless ID":              func(m *Message) { m.ID = strings.Repeat("1", 65) },
		"NUL in the text":            func(m *Message) { m.Text = "482913\x00" },
		"an escape in the text":      func(m *Message) { m.Text = "\x1b[2J482913" },
		"a line too long for SMTP":   func(m *Message) { m.Text = strings.Repeat("x", 999) },
	} {
		m := message(t)
		change(&m)
		if err := f.Send(t.Context(), m); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v, want ErrMessage", sentence, err)
		}
	}
	if _, err := os.Stat(f.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused message left a folder: %v", err)
	}
}

func TestT64ASenderWithALineBreakIsRefused(t *testing.T) {
	for _, from := range []string{"", "Notes", "notes@example.com\r\nBcc: joe@example.com", "Notes\n <notes@example.com>", "a@example.com, b@example.com", "notes@localhost"} {
		err := Folder{Dir: t.TempDir(), From: from}.Send(t.Context(), message(t))
		if err == nil || errors.Is(err, ErrMessage) || errors.Is(err, ErrAddress) {
			t.Errorf("From %q: %v, want an error of the configuration", from, err)
		}
	}
}

// headers returns the names of the header fields of a raw mail in order, read
// line by line, and fails if a line is neither a field nor folded.
func headers(t *testing.T, raw []byte) []string {
	t.Helper()
	head, _, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !found {
		t.Fatalf("no end of header in %q", raw)
	}
	var names []string
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, _, isField := strings.Cut(line, ":")
		switch {
		case strings.ContainsAny(line, "\r\n\x00") || strings.TrimSpace(line) == "":
			t.Fatalf("header line %q", line)
		case line[0] == ' ' && len(names) > 0: // folded
		case isField:
			names = append(names, name)
		default:
			t.Fatalf("header line %q is no field", line)
		}
	}
	slices.Sort(names)
	return names
}

func FuzzMessage(f *testing.F) {
	f.Add("jane@example.com", "Sign in", "Your code:\n482913\n", "<p>482913</p>")
	f.Add("a/b+c@Bücher.example", "Grüße an alle, die schon lange auf einen Code warten müssen", "482913", "")
	f.Add("jane@example.com", "Hello\r\nBcc: joe@example.com", "x", "")
	f.Add("jane@example.com\r\nBcc: joe@example.com", "Hello", "x", "")
	f.Add("jane@example.com", "Hello"+strings.Repeat(" ", 200)+"Bcc: joe@example.com", "\r\n\r\n.\r\nBcc: x", "--\r\n")
	f.Add("jane@example.com", strings.Repeat("x", 255), "\n\n\n", "\x00\xff")
	f.Add("jane@example.com", "=?utf-8?q?=0D=0ABcc:?=", "", "")
	f.Add("{!#$%&'*}@example.com", ": To: joe@example.com", "To: joe@example.com", "")
	f.Add("jane@example.com", "\u00a0\u3000 \u2003", "\xff", "\r")
	f.Fuzz(func(t *testing.T, to, subject, text, html string) {
		a, err := ParseAddress(to)
		if err != nil {
			return
		}
		folder := Folder{Dir: t.TempDir(), From: sender}
		m := Message{To: a, Subject: subject, Text: text, HTML: html}
		if err := folder.Send(t.Context(), m); err != nil {
			if !errors.Is(err, ErrMessage) && !errors.Is(err, syscall.ENAMETOOLONG) {
				t.Fatal(err)
			}
			return
		}
		checkMail(t, m, read(t, folder.Dir, url.PathEscape(a.String()), "000001.eml"))
	})
}

func checkMail(t *testing.T, m Message, raw []byte) {
	want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"}
	if m.HTML == "" {
		want = slices.Insert(want, 1, "Content-Transfer-Encoding")
	}
	if got := headers(t, raw); !slices.Equal(got, want) {
		t.Fatalf("header fields %q, want %q", got, want)
	}
	parsed, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	list, err := parsed.Header.AddressList("To")
	if err != nil || len(list) != 1 || list[0].Address != m.To.String() || list[0].Name != "" {
		t.Fatalf("To is %v, %v; want only %q", list, err, m.To)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if want := strings.Join(strings.Fields(m.Subject), " "); err != nil || subject != want {
		t.Fatalf("Subject is %q, %v; want %q", subject, err, want)
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > maxLine || bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("line %q", line)
		}
	}
	msg, err := compose(sender, m, gomail.NoEncoding)
	if err != nil {
		t.Fatal(err)
	}
	if to, err := msg.GetRecipients(); err != nil || len(to) != 1 || to[0] != "<"+m.To.String()+">" {
		t.Fatalf("recipients %q, %v; want only %q", to, err, m.To)
	}
}

func TestNumbersGoOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	box := filepath.Join(dir, "jane@example.com")
	send(t, Folder{Dir: dir, From: sender}, message(t))
	for _, name := range []string{"000041.eml", "000099.eml.bak", "notes.eml", "99.eml", ".x.tmp"} {
		if err := os.WriteFile(filepath.Join(box, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	send(t, Folder{Dir: dir, From: sender}, message(t))
	read(t, box, "000042.eml")
	if err := os.WriteFile(filepath.Join(box, "999999.eml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, Folder{Dir: dir, From: sender}, message(t))
	send(t, Folder{Dir: dir, From: sender}, message(t))
	read(t, box, "1000001.eml")
	other := message(t)
	other.To = address(t, "joe@example.com")
	send(t, Folder{Dir: dir, From: sender}, other)
	read(t, dir, "joe@example.com", "000001.eml")
}

// Folders share nothing but the disk, so that several of them stand for several
// processes.
func TestConcurrentSendsTakeEachNumberOnceAndShowWholeMails(t *testing.T) {
	const senders, each = 8, 5
	dir, m := t.TempDir(), message(t)
	box := filepath.Join(dir, "jane@example.com")
	var sending, reading sync.WaitGroup
	done := make(chan struct{})
	reading.Go(func() {
		for {
			files, _ := filepath.Glob(filepath.Join(box, "*.eml"))
			for _, name := range files {
				if raw, err := os.ReadFile(name); err != nil || !bytes.HasSuffix(raw, []byte("--\r\n")) {
					t.Errorf("%s is half a mail: %v", name, err)
					return
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for range senders {
		sending.Go(func() {
			for range each {
				if err := (Folder{Dir: dir, From: sender}).Send(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	close(done)
	reading.Wait()
	entries, err := os.ReadDir(box)
	if err != nil || len(entries) != senders*each {
		t.Fatalf("%d files, %v; want %d", len(entries), err, senders*each)
	}
	for i, e := range entries {
		if want := fmt.Sprintf("%06d.eml", i+1); e.Name() != want {
			t.Errorf("file %d is %s, want %s", i, e.Name(), want)
		}
	}
}

func TestOnlyTheOwnerReadsMails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "mail")
	send(t, Folder{Dir: dir, From: sender}, message(t))
	for name, want := range map[string]fs.FileMode{"": fs.ModeDir | 0o700, "jane@example.com": fs.ModeDir | 0o700, "jane@example.com/000001.eml": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%q: %v, %v; want mode %v", name, info.Mode(), err, want)
		}
	}
}

func TestMailsStayInTheFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "mail")
	for _, text := range []string{"a/b@example.com", "/etc/passwd@example.com", "a/./b@example.com", "%2e%2e%2f@example.com", "~root@example.com", "-rf@example.com"} {
		m := message(t)
		m.To = address(t, text)
		send(t, Folder{Dir: dir, From: sender}, m)
		read(t, dir, url.PathEscape(text), "000001.eml")
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the folder: %v, %v", entries, err)
	}
	if err := os.Symlink(parent, filepath.Join(dir, "eve@example.com")); err != nil {
		t.Fatal(err)
	}
	m := message(t)
	m.To = address(t, "eve@example.com")
	if err := (Folder{Dir: dir, From: sender}).Send(t.Context(), m); err == nil {
		t.Error("a mail followed a link out of the folder")
	}
}

func TestAnEndedContextLeavesNoMail(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := Folder{Dir: t.TempDir(), From: sender}
	if err := f.Send(ctx, message(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("Send: %v, want context.Canceled", err)
	}
	if entries, _ := os.ReadDir(filepath.Join(f.Dir, "jane@example.com")); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}
