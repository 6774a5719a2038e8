package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	atMost     = 5 * time.Minute // for a caller who sets no earlier end
	maxReplies = 256 << 10       // bytes that a server may say in one session, certificates included
	goodbye    = 2 * time.Second // for the end of a session that has done its work
)

// talk opens a session, lets say use it, and closes it whatever happens. A
// session that failed ends without QUIT: after half a mail, any command would
// end the mail, and the half would be delivered.
func (s SMTP) talk(ctx context.Context, say func(*smtp.Client) error) error {
	to, err := s.check()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return ended(ctx, at(connecting, err))
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // who waits for the server stops waiting
	c, err := s.open(conn, to)
	if err == nil {
		err = say(c)
	}
	if err != nil {
		return ended(ctx, err)
	}
	conn.SetDeadline(time.Now().Add(goodbye))
	_ = c.Quit() // whatever it says now, the server has the mail
	return nil
}

// open greets, begins TLS and signs in, in this order.
func (s SMTP) open(conn net.Conn, to server) (*smtp.Client, error) {
	if s.DangerouslyPlaintext && !onThisDevice(conn) {
		return nil, at(connecting, errElsewhere)
	}
	conn = &bounded{Conn: conn, left: maxReplies}
	config := &tls.Config{ServerName: to.host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	if to.implicitTLS && !s.DangerouslyPlaintext {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, to.host)
	if err != nil {
		return nil, at(connecting, err)
	}
	c.SkipSMTPUTF8(true) // no address needs it, and not every server behind this one has it
	if err := c.Hello(to.greeting); err != nil {
		return nil, at(greeting, err)
	}
	if !to.implicitTLS && !s.DangerouslyPlaintext {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return nil, at(startingTLS, errNoSTARTTLS)
		}
		if err := c.StartTLS(config); err != nil {
			return nil, at(startingTLS, err)
		}
	}
	return c, s.signIn(c, to)
}

// signIn comes after TLS: check refuses a Username without it.
func (s SMTP) signIn(c *smtp.Client, to server) error {
	if s.Username == "" {
		return nil
	}
	_, offer := c.Extension("AUTH")
	var auth smtp.Auth
	switch ways := strings.Fields(strings.ToUpper(offer)); {
	case slices.Contains(ways, "PLAIN"):
		auth = smtp.PlainAuth("", s.Username, s.Password, to.host, false)
	case slices.Contains(ways, "LOGIN"):
		auth = smtp.LoginAuth(s.Username, s.Password, to.host, false)
	default:
		return at(signingIn, errNoAUTH)
	}
	return at(signingIn, c.Auth(auth))
}

// hand gives one mail to the server. It has returned nil once the server has
// said that the mail is its own affair now.
func hand(c *smtp.Client, from, to string, content []byte) error {
	if err := c.Mail("<" + from + ">"); err != nil {
		return at(naming, err)
	}
	if err := c.Rcpt("<" + to + ">"); err != nil {
		return at(addressing, err)
	}
	data, err := c.Data()
	if err != nil {
		return at(handing, err)
	}
	if _, err := data.Write(content); err != nil {
		return at(handing, err)
	}
	return at(handing, data.Close())
}

func onThisDevice(conn net.Conn) bool {
	peer, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && peer.IP.IsLoopback()
}

var errFlood = errors.New("mail: too much was said")

// A bounded connection reads so many bytes and no more: replies have neither a
// longest line nor a last one.
type bounded struct {
	net.Conn
	left int
}

// Read implements [net.Conn].
func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errFlood
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
