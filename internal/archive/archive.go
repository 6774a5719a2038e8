// Package archive builds the file in which people take away what is kept of them: a
// zip that is there whole, or not at all.
package archive

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Why there is no archive.
var (
	ErrBusy     = errors.New("archive: too many are being made, or one for the same user")
	ErrTooLarge = errors.New("archive: it is larger than 1 GiB")
	ErrName     = errors.New("archive: a name of a file is empty, odd or taken, or a path that leads out")
)

const (
	atOnce   = 16      // archives that are made, or sent
	maxSize  = 1 << 30 // bytes of an archive
	maxFiles = 100_000
	maxName  = 200             // bytes
	patience = 2 * time.Minute // for all that goes into one
)

// A Create begins the next file of an archive. What it returned before is then
// closed.
type Create func(name string) (io.Writer, error)

// A Shelf has room for some archives. It is safe for concurrent use.
type Shelf struct {
	now   func() time.Time
	limit int64 // bytes of an archive

	mu   sync.Mutex
	busy map[string]bool // by user
}

// New returns an empty shelf.
func New(now func() time.Time) *Shelf {
	return &Shelf{now: now, limit: maxSize, busy: map[string]bool{}}
}

// An Archive is a zip, to be read once and closed.
type Archive struct {
	Size int64
	file *os.File
	free func()
}

func (a *Archive) Read(p []byte) (int, error) { return a.file.Read(p) }

// Close throws the archive away.
func (a *Archive) Close() error {
	defer a.free()
	return errors.Join(a.file.Close(), removed(a.file.Name()))
}

// removed removes what may be gone already: where that is possible a file that is
// open has no name any more, so that nothing is left of it if the process dies.
func removed(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Build has fill write the files of userID's archive, in two minutes. It returns an
// error of fill as it is, also one that fill has met and not returned; and
// [ErrBusy], [ErrTooLarge] and [ErrName].
func (s *Shelf) Build(ctx context.Context, userID string, fill func(context.Context, Create) error) (a *Archive, err error) {
	if !s.take(userID) {
		return nil, ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a = &Archive{free: func() { s.put(userID) }}
	defer func() {
		if a != nil && a.Size == 0 { // also when fill panics
			err = errors.Join(err, a.abandon())
			a = nil
		}
	}()
	if a.file, err = os.CreateTemp("", "foyer-*.zip"); err != nil {
		return a, fmt.Errorf("archive: %w", err)
	}
	_ = os.Remove(a.file.Name())
	w := &writer{ctx: ctx, to: a.file, left: s.limit, now: s.now(), taken: map[string]bool{}}
	w.zip = zip.NewWriter(w)
	if err := fill(ctx, w.create); err != nil {
		return a, err
	}
	if err := w.close(); err != nil {
		return a, err
	}
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return a, fmt.Errorf("archive: %w", err)
	}
	a.Size = s.limit - w.left
	return a, nil
}

// abandon is Close of what may not have begun.
func (a *Archive) abandon() error {
	if a.file == nil {
		a.free()
		return nil
	}
	return a.Close()
}

func (s *Shelf) take(userID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[userID] || len(s.busy) >= atOnce {
		return false
	}
	s.busy[userID] = true
	return true
}

func (s *Shelf) put(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, userID)
}

// A writer is below and above the zip: it counts what goes to the file, and keeps
// the first error, whoever meets it, so that nothing can be missing unseen.
type writer struct {
	ctx    context.Context
	to     io.Writer
	zip    *zip.Writer
	left   int64 // bytes
	now    time.Time
	taken  map[string]bool
	failed error
}

// Write is what the zip writes.
func (w *writer) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		return 0, w.fail(ErrTooLarge)
	}
	n, err := w.to.Write(p)
	w.left -= int64(n)
	return n, w.fail(err)
}

// create begins a file.
func (w *writer) create(name string) (io.Writer, error) {
	switch {
	case w.ready() != nil:
		return nil, w.failed
	case !fs.ValidPath(name), name == ".", len(name) > maxName, strings.ContainsFunc(name, odd), w.taken[strings.ToLower(name)]: // lower: some systems know no case
		return nil, w.fail(ErrName)
	case len(w.taken) >= maxFiles:
		return nil, w.fail(ErrTooLarge)
	}
	w.taken[strings.ToLower(name)] = true
	file, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.now.UTC()})
	if err != nil {
		return nil, w.fail(err)
	}
	return part{w, file}, nil
}

// odd reports what the names of files cannot hold on every system.
func odd(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`\:*?"<>|`, r) }

func (w *writer) close() error {
	if w.ready() != nil {
		return w.failed
	}
	return w.fail(w.zip.Close())
}

func (w *writer) ready() error { return w.fail(w.ctx.Err()) }

// fail returns the first error that there was.
func (w *writer) fail(err error) error {
	if w.failed == nil {
		w.failed = err
	}
	return w.failed
}

// A part is one file of the archive.
type part struct {
	*writer
	file io.Writer
}

func (p part) Write(b []byte) (int, error) {
	if err := p.ready(); err != nil {
		return 0, err
	}
	n, err := p.file.Write(b)
	return n, p.fail(err)
}
