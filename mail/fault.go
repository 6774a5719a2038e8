package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"
)

// A step is a part of a session with a mail server.
type step struct {
	name    string
	refused error  // what the server's refusal for good means
	advice  string // what the operator does about that
}

// Who refuses this device, its password or its From refuses every mail: the
// operator can mend it while the mails wait. Who refuses one recipient or one
// mail will do so again.
var (
	connecting  = step{"connecting", ErrSetup, "The server wants no mail from this device. Check Addr, or ask who runs the server."}
	greeting    = step{"EHLO", ErrSetup, "The server refuses the domain of From as a greeting. Ask who runs it."}
	startingTLS = step{"STARTTLS", ErrSetup, "The server offers TLS and then refuses it. Ask who runs it, or use port 465."}
	signingIn   = step{"AUTH", ErrSetup, "Check Username and Password."}
	naming      = step{"MAIL FROM", ErrSetup, "Check From, and that the server lets Username send as it."}
	addressing  = step{"RCPT TO", ErrMessage, "If every recipient is refused, check Username: servers pass mail on only for people they know."}
	handing     = step{"DATA", ErrMessage, "If every mail is refused, check what the server demands of From, such as SPF and DKIM."}
)

var (
	errNoSTARTTLS = errors.New("the server offers no STARTTLS, or somebody on the way took the offer out, so it was told nothing. Use a port where it offers TLS: 587 or 465")
	errNoAUTH     = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN here. Check Addr; on the submission port, 587, servers offer one")
	errElsewhere  = errors.New("DangerouslyPlaintext is for servers on this device, and Addr is elsewhere. Use TLS")
)

// A fault is why a session ended early.
type fault struct {
	step  step
	cause error
}

// at returns the fault of a step that ended with err, or nil.
func at(s step, err error) error {
	if err == nil {
		return nil
	}
	return &fault{s, err}
}

// ended returns err, or the end of ctx where that is why err came about.
func ended(ctx context.Context, err error) error {
	var f *fault
	if errors.As(err, &f) && ctx.Err() != nil && f.reply() == nil {
		f.cause = ctx.Err()
	}
	return err
}

// Error says which step failed and why, in words that are ours.
func (f *fault) Error() string {
	words := "mail: smtp: " + f.step.name + ": " + f.reason()
	if f.refusal() != nil && f.reply() != nil {
		words += ". " + f.step.advice
	}
	return words
}

// Unwrap returns what the caller may ask for with [errors.Is].
func (f *fault) Unwrap() []error {
	var all []error
	if refusal := f.refusal(); refusal != nil {
		all = append(all, refusal)
	}
	if errors.Is(f.cause, context.Canceled) || errors.Is(f.cause, context.DeadlineExceeded) {
		all = append(all, f.cause)
	}
	return all
}

// reply returns the server's refusal, or nil if that was not it.
func (f *fault) reply() (r *textproto.Error) {
	errors.As(f.cause, &r)
	return r
}

// refusal returns ErrMessage, ErrSetup, or nil for a fault that may pass.
func (f *fault) refusal() error {
	var untrusted *tls.CertificateVerificationError
	switch r := f.reply(); {
	case r != nil && r.Code == 530: // authentication or TLS is demanded (RFC 4954 section 6)
		return ErrSetup
	case r != nil && r.Code >= 500:
		return f.step.refused
	case r == nil && (errors.As(f.cause, &untrusted) || oneOf(f.cause, errNoSTARTTLS, errNoAUTH, errElsewhere)):
		return ErrSetup
	}
	return nil
}

func oneOf(err error, all ...error) bool {
	for _, e := range all {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// reason puts the cause in words. Of what the server said only codes are
// repeated; of what a stranger may have put into a certificate, nothing.
func (f *fault) reason() string {
	var (
		unknown   x509.UnknownAuthorityError
		name      x509.HostnameError
		untrusted *tls.CertificateVerificationError
		alert     tls.AlertError
		network   net.Error
	)
	err := f.cause
	switch r := f.reply(); {
	case r != nil:
		return "the server answers " + codes(r)
	case oneOf(err, errNoSTARTTLS, errNoAUTH, errElsewhere, context.Canceled, context.DeadlineExceeded):
		return err.Error()
	case errors.Is(err, errFlood):
		return fmt.Sprintf("the server said more than %d bytes", maxReplies)
	case errors.As(err, &unknown):
		return "the server's certificate comes from an authority that is not trusted here. Use a server with a public certificate, or put its authority into RootCAs"
	case errors.As(err, &name):
		return "the server's certificate is for another name than the host of Addr"
	case errors.As(err, &untrusted):
		return "the server's certificate is not valid; perhaps it has expired"
	case oneOf(err, io.EOF, io.ErrUnexpectedEOF):
		return "the server hung up"
	case errors.As(err, &alert) || errors.As(err, &network):
		return tame(err.Error())
	}
	return "the server's answer is neither SMTP nor TLS"
}

var enhanced = regexp.MustCompile(`^[245]\.[0-7]\.[0-9]{1,2}\b`)

// codes returns the status code of a reply, and the enhanced one if it has one.
func codes(r *textproto.Error) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.Code, enhanced.FindString(r.Msg)))
}

// tame returns text on one line.
func tame(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text[:min(len(text), 200)])
}
