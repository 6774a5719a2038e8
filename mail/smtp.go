package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// An SMTP is a [Sender] that hands each mail to one mail server, over a
// connection of its own: the submission service of a provider, or a relay (RFC
// 6409).
//
// The server must speak TLS 1.2 or later and show a certificate for the host of
// Addr; before that it is told nothing but the domain of From. A server that
// offers no STARTTLS, or seems to because somebody on the way takes the offer
// out, gets neither the password nor the mail.
//
// Errors hold no password and no words of the server, which likes to repeat the
// address and may repeat the mail: only its status codes (RFC 5321 section
// 4.2.1, RFC 3463). They wrap [ErrMessage] when the server refuses the
// recipient or the mail for good, and [ErrSetup] when the operator has to act.
// Printed or logged, an SMTP shows Addr and nothing else.
type SMTP struct {
	// Addr is the server's "host:port". On port 465 TLS begins with the first
	// byte (RFC 8314 section 3.3); on every other, such as 587, the server must
	// offer STARTTLS (RFC 3207).
	Addr string

	// From sends every mail: one address, with or without a display name. The
	// server must let Username send as it. Its domain is the name by which the
	// server is greeted, so that the name of this device is told to nobody.
	From string

	// Username and Password sign in to the server, with AUTH PLAIN or LOGIN (RFC
	// 4954) and never outside TLS. Optional; without Username nobody signs in,
	// and the server must know this device in another way.
	Username string
	Password string `json:"-"`

	// RootCAs are the authorities that the server's certificate may come from.
	// Optional; nil means those that this device trusts.
	RootCAs *x509.CertPool

	// DangerouslyPlaintext sends mails in clear to a server on this device, such
	// as a local relay or a mail catcher; with any other, and with Username, it
	// is an error. False means that TLS is demanded everywhere.
	DangerouslyPlaintext bool
}

// ErrSetup is wrapped by an error that lasts until the operator of this server
// acts: the configuration is wrong, or the mail server refuses this device, its
// password or its From, or cannot be trusted. The mail itself is good, and may
// be sent afterwards.
var ErrSetup = errors.New("mail: the sender is not set up")

// Send hands m to the server, in quoted-printable, which arrives unchanged by
// way of servers without 8BITMIME too. It waits for the server as long as ctx
// allows, five minutes at most.
func (s SMTP) Send(ctx context.Context, m Message) error {
	from, _, err := parseFrom(s.From)
	if err != nil {
		return err
	}
	content, err := render(s.From, m, gomail.EncodingQP)
	if err != nil {
		return err
	}
	return s.talk(ctx, func(c *smtp.Client) error {
		return hand(c, from.Address, m.To.String(), content)
	})
}

// Check connects and signs in, and sends nothing. Call it at the start, to hear
// of a wrong password before the first person waits for a code.
func (s SMTP) Check(ctx context.Context) error {
	return s.talk(ctx, func(*smtp.Client) error { return nil })
}

// A server is what Addr and From say about a session.
type server struct {
	host        string
	greeting    string // the name by which it is greeted
	implicitTLS bool
}

func (s SMTP) check() (to server, err error) {
	_, to.greeting, err = parseFrom(s.From)
	if err != nil {
		return server{}, err
	}
	host, port, err := net.SplitHostPort(s.Addr)
	to.host, to.implicitTLS = host, port == "465"
	switch {
	case err != nil || host == "" || port == "":
		return server{}, fmt.Errorf(`%w: Addr must be "host:port", such as "smtp.example.com:587"`, ErrSetup)
	case (s.Username == "") != (s.Password == ""):
		return server{}, fmt.Errorf("%w: Username and Password come together", ErrSetup)
	case s.Username != "" && s.DangerouslyPlaintext:
		return server{}, fmt.Errorf("%w: a password needs TLS: leave out Username, or DangerouslyPlaintext", ErrSetup)
	}
	return to, nil
}

// Format implements [fmt.Formatter] for every verb, without the password.
func (s SMTP) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "mail.SMTP(%q)", s.Addr) }

// LogValue logs what Format prints.
func (s SMTP) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
