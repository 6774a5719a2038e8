package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

// mails returns the mails that u got, oldest first.
func (s *server) mails(u *user) ([][]byte, error) {
	names, err := filepath.Glob(filepath.Join(s.data, "mail", url.PathEscape(u.address), "*.eml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var mails [][]byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		mails = append(mails, text)
	}
	return mails, nil
}

// digitsIn returns the one-time code in a mail, or "".
func digitsIn(mail []byte) string {
	for line := range bytes.Lines(mail) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 6 && len(bytes.Trim(line, "0123456789")) == 0 {
			return string(line)
		}
	}
	return ""
}

// read reads the digits of c out of its mail, and reports false while that has
// not come. A kill may send a mail twice: digits that were read before are those
// of an earlier challenge.
func (p *player) read(c *challenge) bool {
	if c.digits != "" {
		return true
	}
	mails, err := p.server.mails(c.to)
	if err != nil {
		p.lose(nil, "mail: %v", err)
		return false
	}
	for _, mail := range mails {
		if digits := digitsIn(mail); digits != "" && !slices.Contains(c.to.seen, digits) {
			c.digits = digits
			c.to.seen = append(c.to.seen, digits)
			return true
		}
	}
	return false
}

// wasWarned reports whether u got the mail which tells that a grant was revoked.
func (p *player) wasWarned(u *user) bool {
	mails, err := p.server.mails(u)
	if err != nil {
		p.lose(nil, "mail: %v", err)
		return false
	}
	return slices.ContainsFunc(mails, func(mail []byte) bool { return bytes.Contains(mail, []byte("\nSubject: You were signed out of ")) })
}
