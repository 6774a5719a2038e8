package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.com/foyer/mail"
)

// A mailbox reads what a mail.Folder writes.
type mailbox struct{ dir string }

// A letter is one mail that was read back from its file.
type letter struct {
	Address, Number string // which name it
	Arrived         time.Time
	Subject         string
	Headers         []headerField // those worth showing
	Text, HTML      string        // HTML is empty if there is no such part
}

type headerField struct{ Name, Value string }

// Path is where the letter's page is.
func (l letter) Path() string { return "/dev/mail/" + url.PathEscape(l.Address) + "/" + l.Number }

// File is the letter's file in the mail folder.
func (l letter) File() string { return url.PathEscape(l.Address) + "/" + l.Number + ".eml" }

const maxLetter = 1 << 20 // bytes of a file that are read

var letterNumber = regexp.MustCompile(`^[0-9]{6,15}$`)

// find reads one letter. Only a normalised address and a number name one, so
// that no name leads out of the folder; os.Root sees to it a second time. Any
// other name is fs.ErrNotExist.
func (box mailbox) find(address, number string) (letter, error) {
	to, err := mail.ParseAddress(address)
	if err != nil || to.String() != address || !letterNumber.MatchString(number) {
		return letter{}, fs.ErrNotExist
	}
	root, err := os.OpenRoot(box.dir)
	if err != nil {
		return letter{}, err
	}
	defer root.Close()
	return readLetter(root, address, number)
}

// newest reads at most limit letters, the newest first. It passes over files
// that are no mails, and a missing folder is an empty one.
func (box mailbox) newest(limit int) ([]letter, error) {
	root, err := os.OpenRoot(box.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	found, err := listed(root)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b letter) int {
		if byTime := b.Arrived.Compare(a.Arrived); byTime != 0 {
			return byTime
		}
		return strings.Compare(b.File(), a.File())
	})
	var letters []letter
	for _, l := range found[:min(limit, len(found))] {
		if l, err := readLetter(root, l.Address, l.Number); err == nil {
			letters = append(letters, l)
		}
	}
	return letters, nil
}

// listed returns all letters of the folder by name and time, unread.
func listed(root *os.Root) ([]letter, error) {
	names, err := fs.Glob(root.FS(), "*/*.eml")
	if err != nil {
		return nil, err
	}
	var found []letter
	for _, name := range names {
		address, err := url.PathUnescape(path.Dir(name))
		number := strings.TrimSuffix(path.Base(name), ".eml")
		if to, bad := mail.ParseAddress(address); err != nil || bad != nil || to.String() != address || !letterNumber.MatchString(number) {
			continue
		}
		if info, err := root.Stat(name); err == nil {
			found = append(found, letter{Address: address, Number: number, Arrived: info.ModTime()})
		}
	}
	return found, nil
}

func readLetter(root *os.Root, address, number string) (letter, error) {
	l := letter{Address: address, Number: number}
	file, err := root.Open(l.File())
	if err != nil {
		return letter{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return letter{}, err
	}
	l.Arrived = info.ModTime().UTC()
	message, err := netmail.ReadMessage(io.LimitReader(file, maxLetter))
	if err != nil {
		return letter{}, err
	}
	words := mime.WordDecoder{}
	for _, name := range []string{"From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted"} {
		value := message.Header.Get(name)
		if decoded, err := words.DecodeHeader(value); err == nil {
			value = decoded
		}
		if name == "Subject" {
			l.Subject = value
		}
		l.Headers = append(l.Headers, headerField{name, value})
	}
	header := message.Header
	return l, l.readBody(header.Get("Content-Type"), header.Get("Content-Transfer-Encoding"), message.Body)
}

// readBody fills in Text and HTML from a text, or from the parts of a multipart.
func (l *letter) readBody(contentType, encoding string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		content, err := io.ReadAll(transferDecoded(encoding, body))
		switch kind {
		case "text/plain":
			l.Text = strings.ToValidUTF8(string(content), "\ufffd")
		case "text/html":
			l.HTML = string(content)
		}
		return err
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("part of a mail: %w", err)
		}
		if err := l.readBody(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
			return err
		}
	}
}

// transferDecoded undoes a transfer encoding (RFC 2045 section 6).
func transferDecoded(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}
