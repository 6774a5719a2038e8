// Package mail carries one-time codes and notices to people.
//
// A [Message] goes to one [Address], and only [ParseAddress] makes an Address,
// so that text from outside can neither add a recipient nor a header.
//
//	to, err := mail.ParseAddress("Jane@Bücher.example") // jane@xn--bcher-kva.example
//	post := mail.SMTP{Addr: "smtp.example.com:587", From: "Notes <notes@example.com>", Username: "notes", Password: password}
//	err = post.Send(ctx, mail.Message{To: to, Subject: "Sign in to Notes", Text: text, HTML: html})
//
// On the wire a mail is text/plain, or multipart/alternative with the text
// first and the HTML second (RFC 2046 section 5.1.4). Its header fields are
// Auto-Submitted (RFC 3834 section 5), Date, From, Message-ID, MIME-Version,
// Subject, To, those of its content, and no others.
package mail

import (
	"context"
	"errors"
)

// A Message is one mail to one person.
type Message struct {
	To      Address
	Subject string // one line of at most 255 bytes; runs of spaces become one
	Text    string // lines of at most 998 bytes (RFC 5322 section 2.1.1); they arrive as they are, never wrapped anew
	HTML    string // empty: the mail has no HTML part

	// ID is the same whenever the same mail is tried again, and becomes the
	// Message-ID, so that a mail that came twice is seen to be one. It has at
	// most 64 letters, digits and hyphens, and everybody may know it. Empty: a
	// new one for each try.
	ID string
}

// A Sender delivers mails. Send returns nil once the mail is in other hands:
// accepted by a server, or on disk.
//
// Send may be called from several goroutines at once. It gives up when ctx
// ends; the mail may or may not have gone out then. [ErrMessage] says that
// trying again is of no use; after any other error the caller may try again,
// and a person may then see the mail twice.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// ErrMessage is wrapped by the error for a message that can never be sent: it
// has no recipient, its subject is not one plain line, its text has control
// characters or overlong lines, or a mail server refuses it for good.
var ErrMessage = errors.New("mail: message refused")
