package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/mail"
)

const (
	username = "notes-relay"
	password = "s3cr3t-p4ssw0rd"
	address  = "jane@example.com"
)

// What a test may have the server do instead of answering.
const (
	hang = "hang" // says nothing until the client has gone
	drop = "drop" // closes the connection
	drip = "drip" // says one byte at a time, and never the last
)

// A server is a mail server on loopback. Unless a test says otherwise it demands
// STARTTLS, then AUTH, and takes every mail.
type server struct {
	testing.TB
	listener net.Listener
	addr     string
	roots    *x509.CertPool
	tls      *tls.Config

	offers string // EHLO lines besides STARTTLS and AUTH, each behind a space
	ways   string // of AUTH
	noTLS  bool
	noAUTH bool
	answer func(verb string) string // "" for the usual answer
	stall  chan struct{}            // if it is there, no mail is read before it is closed

	opened    sync.Once
	accepting sync.WaitGroup
	gone      sync.WaitGroup // of the clients

	mu    sync.Mutex
	said  []string // verbs, those outside TLS as "plain MAIL"
	lines []string // commands as they came
	taken []string // mails as they came, without the dot at the end
	many  int      // connections at this moment
	most  int      // and at most
}

// newServer returns a server that certifies itself as 127.0.0.1.
func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{TB: t, offers: "8BITMIME SMTPUTF8 ENHANCEDSTATUSCODES PIPELINING", ways: "PLAIN LOGIN"}
	s.tls, s.roots = certify(t, time.Now().Add(time.Hour), net.IPv4(127, 0, 0, 1))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener, s.addr = listener, listener.Addr().String()
	t.Cleanup(s.close)
	return s
}

// open lets clients in. From then on a test leaves the fields alone.
func (s *server) open() {
	s.opened.Do(func() {
		s.accepting.Go(func() {
			for {
				conn, err := s.listener.Accept()
				if err != nil {
					return
				}
				s.gone.Go(func() { s.serve(conn) })
			}
		})
	})
}

func (s *server) close() {
	s.listener.Close()
	s.accepting.Wait()
	s.gone.Wait()
}

// send sends the message and waits until the server is alone again. Its
// deadline is met only by a server that hangs.
func (s *server) send(m mail.SMTP) error {
	s.Helper()
	s.open()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	err := m.Send(ctx, message(s))
	s.gone.Wait()
	return err
}

func certify(t testing.TB, end time.Time, ips ...net.IP) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-48 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, IPAddresses: ips, DNSNames: []string{"evil\x1b[2J\r\nlevel=ERROR.example"}}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// sender returns the sender that gets on with the server.
func (s *server) sender() mail.SMTP {
	return mail.SMTP{Addr: s.addr, From: "Notes <notes@example.com>", Username: username, Password: password, RootCAs: s.roots}
}

// A visit is one connection.
type visit struct {
	*server
	conn     net.Conn
	in       *bufio.Reader
	inTLS    bool
	signedIn bool
}

func (s *server) serve(conn net.Conn) {
	s.count(1)
	defer s.count(-1)
	v := &visit{server: s, conn: conn, in: bufio.NewReader(conn)}
	defer func() { v.conn.Close() }()
	ok := v.reply("connect", "220 mx.example ESMTP")
	for ok {
		line, err := v.in.ReadString('\n')
		if err != nil {
			return
		}
		ok = v.command(line)
	}
}

func (s *server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.many += n
	s.most = max(s.most, s.many)
}

// command answers one line, and reports whether to go on.
func (v *visit) command(line string) bool {
	word, argument, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	v.mu.Lock()
	v.lines = append(v.lines, line)
	v.mu.Unlock()
	switch verb := strings.ToUpper(word); {
	case verb == "EHLO" || verb == "HELO" && v.noTLS:
		return v.reply(verb, v.greet())
	case verb == "STARTTLS" && !v.noTLS && !v.inTLS:
		return v.reply(verb, "220 2.0.0 go ahead") && v.encrypt()
	case verb == "AUTH" && v.inTLS && !v.noAUTH:
		return v.signIn(argument)
	case verb == "MAIL" && (v.signedIn || v.noAUTH), verb == "RCPT":
		return v.reply(verb, "250 2.1.0 fine")
	case verb == "DATA":
		return v.reply(verb, "354 go ahead") && v.take()
	case verb == "QUIT":
		v.reply(verb, "221 2.0.0 bye")
		return false
	}
	return v.reply(strings.ToUpper(word), "530 5.7.0 not like this")
}

func (v *visit) greet() string {
	all := append([]string{"mx.example"}, strings.Fields(v.offers)...)
	if !v.noTLS && !v.inTLS {
		all = append(all, "STARTTLS")
	}
	if v.inTLS && !v.noAUTH {
		all = append(all, "AUTH "+v.ways)
	}
	return "250-" + strings.Join(all[:len(all)-1], "\r\n250-") + "\r\n250 " + all[len(all)-1]
}

func (v *visit) encrypt() bool {
	conn := tls.Server(v.conn, v.tls)
	v.conn, v.in, v.inTLS = conn, bufio.NewReader(conn), true
	return conn.Handshake() == nil
}

func (v *visit) signIn(argument string) bool {
	way, first, _ := strings.Cut(argument, " ")
	given, _ := base64.StdEncoding.DecodeString(first)
	if way == "LOGIN" {
		given = nil
		for _, ask := range []string{"Username:", "Password:"} {
			fmt.Fprintf(v.conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(ask)))
			line, _ := v.in.ReadString('\n')
			part, _ := base64.StdEncoding.DecodeString(strings.TrimRight(line, "\r\n"))
			given = append(append(given, 0), part...)
		}
	}
	if v.signedIn = string(given) == "\x00"+username+"\x00"+password; v.signedIn {
		return v.reply("AUTH", "235 2.7.0 welcome")
	}
	return v.reply("AUTH", "535 5.7.8 not with "+string(bytes.ReplaceAll(given, []byte{0}, []byte{' '})))
}

// take reads a mail as strict servers do: only CR LF dot CR LF ends it.
func (v *visit) take() bool {
	if v.stall != nil {
		<-v.stall
	}
	var raw []byte
	for !bytes.HasSuffix(raw, []byte("\r\n.\r\n")) {
		b, err := v.in.ReadByte()
		if err != nil {
			return false
		}
		raw = append(raw, b)
	}
	said := v.say("dot")
	if said == "" || said == drop || said == hang {
		v.mu.Lock()
		v.taken = append(v.taken, string(raw[:len(raw)-3]))
		v.mu.Unlock()
	}
	return v.write(said, "250 2.0.0 queued as 4ZQ1")
}

// reply answers a verb, in the way of a test or in the usual one.
func (v *visit) reply(verb, usual string) bool {
	if !v.inTLS {
		verb = "plain " + verb
	}
	return v.write(v.say(verb), usual)
}

func (v *visit) say(verb string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = append(v.said, verb)
	if v.answer == nil {
		return ""
	}
	return v.answer(verb)
}

func (v *visit) write(said, usual string) bool {
	switch said {
	case "":
		said = usual
	case drop:
		return false
	case hang:
		io.Copy(io.Discard, v.in)
		return false
	case drip:
		for _, err := io.WriteString(v.conn, "250-"); err == nil; _, err = io.WriteString(v.conn, "x") {
			time.Sleep(time.Millisecond) // a byte now and then
		}
		return false
	}
	_, err := io.WriteString(v.conn, said+"\r\n")
	return err == nil
}

// always has the server answer one verb in one way.
func always(verb, said string) func(string) string {
	return func(v string) string {
		if v == verb {
			return said
		}
		return ""
	}
}

func (s *server) wantSaid(when string, want ...string) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.said, want) {
		s.Errorf("%s: the server heard %q, want %q", when, s.said, want)
	}
}

func (s *server) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}
