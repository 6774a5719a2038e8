package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// A Folder is a [Sender] for demos and tests: it writes each mail to the file
//
//	Dir/ADDRESS/NNNNNN.eml
//
// where ADDRESS is [url.PathEscape] of the normalised address and NNNNNN counts
// upwards from 000001 for each address. Files appear whole or not at all. If a
// line of the text is exactly a code of six digits, then so is that line of
// the file, and no line of the HTML part is.
//
// Several Folders, of several processes too, may share Dir if its file system
// has hard links. Anyone who can read Dir can sign in as anyone who gets mail
// there, so directories are made with mode 0700 and files with 0600.
type Folder struct {
	Dir  string // made when it is missing
	From string // one address, with or without a display name; empty is an error
}

// Send writes m to disk.
func (f Folder) Send(ctx context.Context, m Message) error {
	content, err := render(f.From, m, gomail.NoEncoding)
	if err != nil {
		return err
	}
	dir, err := f.open(m.To)
	if err != nil {
		return fmt.Errorf("mail: folder: %w", err)
	}
	defer dir.Close()
	if err := deliver(ctx, dir, content); err != nil {
		return fmt.Errorf("mail: folder: %w", err)
	}
	return nil
}

// open returns the directory of one address, which it makes if need be.
func (f Folder) open(to Address) (*os.Root, error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := url.PathEscape(to.String())
	if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return root.OpenRoot(name)
}

// deliver writes a file of another name first and then links it to the next
// number. A link claims the number and shows the whole mail in one step; of
// two senders with the same number in mind, one tries the next.
func deliver(ctx context.Context, dir *os.Root, content []byte) error {
	draft := "." + rand.Text() + ".tmp"
	defer dir.Remove(draft)
	if err := writeSynced(dir, draft, content); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		last, err := lastNumber(dir)
		if err != nil {
			return err
		}
		err = dir.Link(draft, fmt.Sprintf("%06d.eml", last+1))
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		return syncDir(dir)
	}
}

func writeSynced(dir *os.Root, name string, content []byte) error {
	file, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

var mailName = regexp.MustCompile(`^[0-9]{6,15}\.eml$`)

// lastNumber returns the highest number taken, 0 if none is.
func lastNumber(dir *os.Root) (int, error) {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return 0, err
	}
	last := 0
	for _, e := range entries {
		if !mailName.MatchString(e.Name()) {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".eml"))
		if err == nil {
			last = max(last, n)
		}
	}
	return last, nil
}

// syncDir makes the new name last. Some systems cannot sync a directory; the
// mail is there nonetheless.
func syncDir(dir *os.Root) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
