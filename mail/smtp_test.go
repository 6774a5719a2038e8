package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/mail"
)

func message(t testing.TB) mail.Message {
	t.Helper()
	to, err := mail.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return mail.Message{To: to, Subject: "Sign in to Notes", ID: "MAIL-1",
		Text: "You asked to sign in.\nGive the assistant this code:\n\n482913\n\nDidn’t ask? Ignore it.\n.\n..\n"}
}

// decoded returns the header and the text of a mail without HTML.
func decoded(t testing.TB, raw string) (netmail.Header, string) {
	t.Helper()
	parsed, err := netmail.ReadMessage(strings.NewReader(strings.ReplaceAll(raw, "\r\n..", "\r\n.")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Header, string(text)
}

var (
	began   = []string{"plain connect", "plain EHLO", "plain STARTTLS", "EHLO"}
	whole   = append(slices.Clone(began), "AUTH", "MAIL", "RCPT", "DATA", "dot", "QUIT")
	without = slices.DeleteFunc(slices.Clone(whole), func(verb string) bool { return verb == "AUTH" })
)

func TestAMailArrivesByWayOfAServer(t *testing.T) {
	for _, c := range []struct{ sentence, offers, ways string }{
		{"a server of today", "8BITMIME SMTPUTF8 PIPELINING SIZE DSN", "PLAIN LOGIN"},
		{"a server that knows LOGIN only", "8BITMIME", "LOGIN"},
		{"a server that knows newer ways too", "8BITMIME", "SCRAM-SHA-256 CRAM-MD5 NTLM XOAUTH2 PLAIN"},
		{"a server for seven bits", "SIZE", "PLAIN"},
	} {
		s := newServer(t)
		s.offers, s.ways = c.offers, c.ways
		if err := s.send(s.sender()); err != nil {
			t.Fatalf("%s: %v", c.sentence, err)
		}
		s.wantSaid(c.sentence, whole...)
		header, text := decoded(t, s.mails()[0])
		if want := strings.ReplaceAll(message(t).Text, "\n", "\r\n"); text != want {
			t.Errorf("%s: the text came as %q, want %q", c.sentence, text, want)
		}
		if id := header.Get("Message-ID"); id != "<MAIL-1@example.com>" {
			t.Errorf("%s: Message-ID %q", c.sentence, id)
		}
		if strings.ContainsFunc(s.mails()[0], func(r rune) bool { return r > '~' }) {
			t.Errorf("%s: the mail is not seven bits", c.sentence)
		}
		if all := strings.Join(s.lines, ""); !strings.Contains(all, "EHLO example.com\r\n") || !strings.Contains(all, "MAIL FROM:<notes@example.com>") ||
			!strings.Contains(all, "RCPT TO:<jane@example.com>\r\n") || strings.Contains(all, " SMTPUTF8") {
			t.Errorf("%s: the server heard %q", c.sentence, s.lines)
		}
	}
}

func TestCheckSignsInAndSendsNothing(t *testing.T) {
	s := newServer(t)
	s.open()
	if err := s.sender().Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.wantSaid("Check", append(slices.Clone(began), "AUTH", "QUIT")...)
	wrong := s.sender()
	wrong.Password = "another"
	if err := wrong.Check(t.Context()); !errors.Is(err, mail.ErrSetup) {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestWhoIsKnownInAnotherWayNeedsNoPassword(t *testing.T) {
	s := newServer(t)
	s.noAUTH = true
	known := s.sender()
	known.Username, known.Password = "", ""
	if err := s.send(known); err != nil {
		t.Error(err)
	}
	s.wantSaid("without Username", without...)
}

// The first of these is what a man in the middle makes of every server.
func TestT60AServerThatCannotBeTrustedLearnsNothing(t *testing.T) {
	for _, c := range []struct {
		sentence string
		change   func(*server, *mail.SMTP)
		said     []string
		advice   string
	}{
		{"no STARTTLS is offered", func(s *server, _ *mail.SMTP) { s.noTLS = true }, began[:2], "told nothing"},
		{"no STARTTLS is offered, but AUTH is", func(s *server, _ *mail.SMTP) { s.noTLS = true; s.offers = "AUTH=PLAIN AUTH-PLAIN" }, began[:2], "told nothing"},
		{"STARTTLS is refused", func(s *server, _ *mail.SMTP) { s.answer = always("plain STARTTLS", "502 5.5.1 no") }, began[:3], "502 5.5.1"},
		{"EHLO is refused, so that only HELO is left", func(s *server, _ *mail.SMTP) { s.noTLS = true; s.answer = always("plain EHLO", "502 no") },
			[]string{"plain connect", "plain EHLO", "plain HELO"}, "told nothing"},
		{"a stranger certifies the server", func(s *server, m *mail.SMTP) { m.RootCAs = nil }, began[:3], "RootCAs"},
		{"the certificate is for another host", func(s *server, _ *mail.SMTP) {
			s.tls, s.roots = certify(s.TB, time.Now().Add(time.Hour), net.IPv4(127, 0, 0, 2))
		}, began[:3], "another name"},
		{"the certificate has expired", func(s *server, _ *mail.SMTP) {
			s.tls, s.roots = certify(s.TB, time.Now().Add(-time.Hour), net.IPv4(127, 0, 0, 1))
		}, began[:3], "not valid"},
		{"the server has old TLS only", func(s *server, _ *mail.SMTP) { s.tls.MinVersion, s.tls.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, began[:3], "tls"},
		{"no AUTH is offered", func(s *server, _ *mail.SMTP) { s.noAUTH = true }, began, "neither AUTH PLAIN nor AUTH LOGIN"},
		{"AUTH is offered in other ways only", func(s *server, _ *mail.SMTP) { s.ways = "NTLM CRAM-MD5 XOAUTH2" }, began, "neither AUTH PLAIN nor AUTH LOGIN"},
	} {
		s := newServer(t)
		m := s.sender()
		c.change(s, &m)
		if m.RootCAs != nil {
			m.RootCAs = s.roots
		}
		err := s.send(m)
		if err == nil || errors.Is(err, mail.ErrMessage) || !strings.Contains(err.Error(), c.advice) {
			t.Errorf("%s: %v", c.sentence, err)
		}
		if c.sentence != "the server has old TLS only" && !errors.Is(err, mail.ErrSetup) {
			t.Errorf("%s: %v is not the operator's", c.sentence, err)
		}
		s.wantSaid(c.sentence, c.said...)
		checkWords(t, c.sentence, err)
	}
}

// checkWords checks what no error may say.
func checkWords(t *testing.T, sentence string, err error) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %s", err, err, err)
	for _, secret := range []string{password, "482913", address, "jane", username, "evil"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s: the error says %q: %s", sentence, secret, text)
		}
	}
	if len(err.Error()) > 500 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("%s: the error is long or has control characters: %q", sentence, text)
	}
}

// A man in the middle may also put words of his own before TLS begins.
func TestWhatIsSaidBeforeTLSIsForgotten(t *testing.T) {
	s := newServer(t)
	s.answer = always("plain STARTTLS", "220 go ahead\r\n250-evil\r\n250 AUTH PLAIN\r\n235 welcome")
	_ = s.send(s.sender()) // the server's own bytes, too many, may spoil TLS
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, verb := range s.said[3:] {
		if strings.HasPrefix(verb, "plain") {
			t.Errorf("outside TLS the server heard %q", s.said)
		}
	}
}

func TestAServersRefusals(t *testing.T) {
	echo := " <" + address + "> " + password + " 482913 \x1b[2J\x07 evil"
	for _, c := range []struct {
		verb, said string
		want       error // nil: try again later
		words      string
	}{
		{"plain connect", "554 5.7.1 blocked" + echo, mail.ErrSetup, "554 5.7.1"},
		{"plain connect", "421 4.3.2 busy" + echo, nil, "421 4.3.2"},
		{"plain EHLO", "421 later" + echo, nil, "421"},
		{"plain STARTTLS", "454 4.7.0 later" + echo, nil, "454 4.7.0"},
		{"AUTH", "535 5.7.8 wrong" + echo, mail.ErrSetup, "535 5.7.8. Check Username and Password"},
		{"AUTH", "454 4.7.0 later" + echo, nil, "454 4.7.0"},
		{"AUTH", "334 !!!" + echo, nil, "neither SMTP"},
		{"MAIL", "550 5.7.1 not you" + echo, mail.ErrSetup, "Check From"},
		{"MAIL", "451 4.3.0 later" + echo, nil, "451 4.3.0"},
		{"RCPT", "550 5.1.1 unknown" + echo, mail.ErrMessage, "RCPT TO: the server answers 550 5.1.1"},
		{"RCPT", "550-5.1.1 unknown\r\n550-5.1.1" + echo + "\r\n550 5.1.1 end", mail.ErrMessage, "550 5.1.1"},
		{"RCPT", "530 5.7.0 sign in first" + echo, mail.ErrSetup, "530 5.7.0"},
		{"RCPT", "450 4.2.0 greylisted" + echo, nil, "450 4.2.0"},
		{"RCPT", "452 4.2.2 full" + echo, nil, "452 4.2.2"},
		{"RCPT", "550 5.482.913" + echo, mail.ErrMessage, "550"},
		{"DATA", "451 4.7.1 later" + echo, nil, "451 4.7.1"},
		{"DATA", "554 5.5.1 no valid recipients" + echo, mail.ErrMessage, "554 5.5.1"},
		{"dot", "554 5.7.1 spam" + echo, mail.ErrMessage, "554 5.7.1"},
		{"dot", "451 4.3.0 later" + echo, nil, "451 4.3.0"},
		{"dot", "200 what" + echo, nil, "200"},
		{"RCPT", "nonsense" + echo, nil, "neither SMTP"},
		{"RCPT", "55" + echo, nil, "neither SMTP"},
		{"RCPT", drop, nil, "hung up"},
		{"plain connect", "HTTP/1.1 400 Bad Request" + echo, nil, "neither SMTP"},
		{"MAIL", "250-" + strings.Repeat("x", 10<<20), nil, "262144 bytes"},
		{"dot", strings.Repeat("250-more\r\n", 100_000), nil, "262144 bytes"},
	} {
		sentence := fmt.Sprintf("%.40q to %s", c.said, c.verb)
		s := newServer(t)
		s.answer = always(c.verb, c.said)
		err := s.send(s.sender())
		if err == nil {
			t.Errorf("%s: no error", sentence)
			continue
		}
		for _, sentinel := range []error{mail.ErrMessage, mail.ErrSetup} {
			if got := errors.Is(err, sentinel); got != (sentinel == c.want) {
				t.Errorf("%s: %v; is it %q? %v", sentence, err, sentinel, got)
			}
		}
		if !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "5.482") {
			t.Errorf("%s: %v, want %q", sentence, err, c.words)
		}
		checkWords(t, sentence, err)
	}
}

func TestAServerThatHangsIsLeftWhenTheTimeIsUp(t *testing.T) {
	for _, how := range []string{hang, drip} {
		for _, verb := range whole[:len(whole)-1] {
			t.Run(how+" at "+verb, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				s.answer = always(verb, how)
				s.open()
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				began := time.Now()
				err := s.sender().Send(ctx, message(t))
				if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, mail.ErrMessage) || errors.Is(err, mail.ErrSetup) {
					t.Error(err)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

func TestAnEndedContextCallsNobody(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.open()
	if err := s.sender().Send(ctx, message(t)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.wantSaid("after the end")
}

// What happens after the server has taken the mail does not make it unsent: it
// would be sent again.
func TestAMailThatWasTakenIsSent(t *testing.T) {
	for _, how := range []string{drop, hang, drip, "554 5.0.0 no", "nonsense"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.answer = always("QUIT", how)
			began := time.Now()
			if err := s.send(s.sender()); err != nil || len(s.mails()) != 1 {
				t.Errorf("%v, %d mails", err, len(s.mails()))
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A mail of which the server has half must not be ended.
func TestAMailIsTakenWholeOrNotAtAll(t *testing.T) {
	s := newServer(t)
	s.stall = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(verb string) string {
		if verb == "DATA" {
			cancel()
		}
		return ""
	}
	m := message(t)
	m.HTML = strings.Repeat("<p>more than all buffers on the way hold</p>\n", 1<<19)
	s.open()
	if err := s.sender().Send(ctx, m); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(s.stall)
	s.gone.Wait()
	if got := s.mails(); len(got) != 0 {
		t.Errorf("half a mail was taken: %d bytes", len(got[0]))
	}
}

func TestManyMailsAtOnceArriveOnceEach(t *testing.T) {
	s := newServer(t)
	s.open()
	sender := s.sender()
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			m := message(t)
			m.ID = fmt.Sprint("MAIL-", i)
			if err := sender.Send(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := make(map[string]bool)
	for _, raw := range s.mails() {
		header, _ := decoded(t, raw)
		seen[header.Get("Message-ID")] = true
	}
	if len(seen) != 64 || len(s.mails()) != 64 {
		t.Errorf("%d mails, %d of them different", len(s.mails()), len(seen))
	}
}

func TestASenderThatIsNotSetUpSaysSo(t *testing.T) {
	s := newServer(t)
	for sentence, change := range map[string]func(*mail.SMTP){
		"no Addr":                  func(m *mail.SMTP) { m.Addr = "" },
		"no port":                  func(m *mail.SMTP) { m.Addr = "smtp.example.com" },
		"no host":                  func(m *mail.SMTP) { m.Addr = ":587" },
		"no From":                  func(m *mail.SMTP) { m.From = "" },
		"a From with a line break": func(m *mail.SMTP) { m.From = "notes@example.com>\r\nRCPT TO:<joe@example.com" },
		"a Username alone":         func(m *mail.SMTP) { m.Password = "" },
		"a Password alone":         func(m *mail.SMTP) { m.Username = "" },
		"a password without TLS":   func(m *mail.SMTP) { m.DangerouslyPlaintext = true },
		"a port that is not there": func(m *mail.SMTP) { m.Addr = "127.0.0.1:port" },
	} {
		m := s.sender()
		change(&m)
		if err := s.send(m); err == nil || errors.Is(err, mail.ErrMessage) || !errors.Is(err, mail.ErrSetup) && sentence != "a port that is not there" {
			t.Errorf("%s: %v", sentence, err)
		} else {
			checkWords(t, sentence, err)
		}
	}
	s.wantSaid("from nobody")
}

func TestPlaintextIsForThisDevice(t *testing.T) {
	s := newServer(t)
	s.noTLS, s.noAUTH = true, true
	m := mail.SMTP{Addr: s.addr, From: "notes@example.com", DangerouslyPlaintext: true}
	if err := s.send(m); err != nil || len(s.mails()) != 1 {
		t.Errorf("to a server on this device: %v", err)
	}
}

func TestT60APrintedSenderShowsNoPassword(t *testing.T) {
	s := mail.SMTP{Addr: "smtp.example.com:587", From: "notes@example.com", Username: username, Password: password}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("config", "mail", s, "pointer", &s, "any", slog.AnyValue(s))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "mail", s, "inside", struct{ Mail mail.Sender }{s})
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	config := struct{ Mail mail.Sender }{s}
	for _, text := range []string{log.String(), string(encoded), fmt.Sprint(s, &s, config, &config), fmt.Sprintf("%v %+v %#v %s %q %d %x", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v %x", config, config, config, config)} {
		if strings.Contains(text, password) || strings.Contains(text, fmt.Sprintf("%x", password)) {
			t.Errorf("the password is in %s", text)
		}
	}
	if fmt.Sprint(s) != `mail.SMTP("smtp.example.com:587")` {
		t.Errorf("it prints as %v", s)
	}
}
