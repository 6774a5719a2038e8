package mail_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/mail"
)

// FuzzWire sends whatever ParseAddress and Send let pass, and reads what came
// over the wire byte by byte: one mail to one recipient, with the headers that
// the package names and the text that was written.
func FuzzWire(f *testing.F) {
	const subject, text = "Sign in to Notes", "Your code:\n\n482913\n"
	for _, to := range []string{
		"jane@example.com", "Jane@Bücher.example", "jane%0d%0arcpt@example.com", "jane%joe.example@example.com", "{!#$%&'*+-/=?^_`|}~@example.com",
		"jane@example.com\r\nRCPT TO:<joe@example.com>", "jane@example.com>\r\nDATA", "jane@example.com> NOTIFY=SUCCESS", "jane@example.com,joe@example.com",
		"<jane@example.com>", "@relay.example:jane@example.com", `"jane@example.com> "@example.com`, "jane(\r\n)@example.com", "jane@example.com\x00", "jane@example.com\n.\r\n",
		"jane@xn--bcher-kva.example", "jane@[127.0.0.1]", "-f@example.com", strings.Repeat("a", 64) + "@" + strings.Repeat("d.", 94) + "c",
	} {
		f.Add(to, subject, text, "")
	}
	for _, body := range []string{ // one mail in the eyes of one server, two in the eyes of another
		".", ".\n", "\n.\n", "\r.\r", "\r\n.\r\n", "\n.\r\nMAIL FROM:<joe@example.com>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\nx\r\n.\r\n", "\r.\nMAIL FROM:<>", "x\r.\rQUIT\r",
		"..\n...\n. \n.\t\n", "x \n\t\n", "From jane\n", "=2E\n=0D=0A.=0D=0A", "--\n--boundary--\n", strings.Repeat("x", 998), strings.Repeat("ü", 499), "\u2028.\u2028", "\u0085.\u0085",
		strings.Repeat("x", 75) + "482913", strings.Repeat("x", 75) + ".\n" + strings.Repeat("x", 75) + ".", "To: joe@example.com\n\n", "",
	} {
		f.Add("jane@example.com", subject, body, "")
		f.Add("jane@example.com", subject, text, body)
	}
	for _, s := range []string{"", " ", "x\r\nBcc: joe@example.com", "x\nBcc: joe@example.com", "x\r.\r", "=?utf-8?q?=0D=0ABcc:_joe@example.com?=", strings.Repeat("x", 255), strings.Repeat("ü ", 85),
		"\u202ex", "x\t\ty", "x\x00", "x\u2028Bcc: joe@example.com"} {
		f.Add("jane@example.com", s, text, "")
	}
	f.Fuzz(func(t *testing.T, to, subject, text, html string) {
		a, err := mail.ParseAddress(to)
		if err != nil {
			return
		}
		s := newServer(t)
		s.noTLS, s.noAUTH = true, true
		s.open()
		m := mail.Message{To: a, Subject: subject, Text: text, HTML: html}
		err = mail.SMTP{Addr: s.addr, From: "notes@example.com", DangerouslyPlaintext: true}.Send(t.Context(), m)
		s.gone.Wait()
		if errors.Is(err, mail.ErrMessage) && len(s.lines) == 0 {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		want := []string{"EHLO example.com\r\n", "MAIL FROM:<notes@example.com> BODY=8BITMIME\r\n", "RCPT TO:<" + a.String() + ">\r\n", "DATA\r\n", "QUIT\r\n"}
		if !slices.Equal(s.lines, want) || len(s.taken) != 1 {
			t.Fatalf("the server heard %q, and has %d mails", s.lines, len(s.taken))
		}
		checkWire(t, m, s.taken[0])
	})
}

func checkWire(t *testing.T, m mail.Message, raw string) {
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || r < ' ' && r != '\t' }) {
			t.Fatalf("a line has something that is none: %q", line)
		}
		if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "..") {
			t.Fatalf("a line begins with a lone dot: %q", line)
		}
	}
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	want := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"}
	if m.HTML != "" {
		want = slices.Delete(want, 1, 2)
	}
	var names []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, _, found := strings.Cut(line, ":"); found && !strings.HasPrefix(line, " ") {
			names = append(names, name)
		} else if len(names) == 0 || strings.TrimSpace(line) == "" {
			t.Fatalf("a line of the header is no field: %q", line)
		}
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Fatalf("the header has %q, want %q", names, want)
	}
	parsed, err := netmail.ReadMessage(strings.NewReader(head + "\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := parsed.Header.AddressList("To"); err != nil || len(list) != 1 || list[0].Address != m.To.String() {
		t.Fatalf("To is %v, %v", list, err)
	}
	text := io.Reader(strings.NewReader(strings.ReplaceAll("\r\n"+body, "\r\n.", "\r\n")[2:]))
	if m.HTML != "" {
		_, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		if text, err = multipart.NewReader(text, params["boundary"]).NextRawPart(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(quotedprintable.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	written := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(m.Text, "\ufffd"))
	if want := strings.ReplaceAll(strings.TrimSuffix(written, "\n")+"\n", "\n", "\r\n"); string(got) != want {
		t.Fatalf("the text came as %q, want %q", got, want)
	}
}
