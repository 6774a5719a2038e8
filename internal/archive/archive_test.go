package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func newShelf(t *testing.T) *Shelf {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	return New(func() time.Time { return time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC) })
}

// empty expects that no archive is left, and that nobody is busy.
func (s *Shelf) empty(t *testing.T, when string) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if len(left) > 0 || len(s.busy) > 0 || err != nil {
		t.Errorf("%s: there are %v, busy are %v: %v", when, left, s.busy, err)
	}
}

func write(create Create, name, text string) error {
	w, err := create(name)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func TestAnArchiveHoldsWhatWasWritten(t *testing.T) {
	s := newShelf(t)
	a, err := s.Build(t.Context(), "ann", func(_ context.Context, create Create) error {
		return errors.Join(write(create, "foyer.json", "{}"), write(create, "app/über mich.md", strings.Repeat("text ", 1000)), write(create, "app/empty", ""))
	})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(os.TempDir()); len(left) > 0 || err != nil {
		t.Errorf("while it is there, it has a name: %v, %v", left, err)
	}
	raw, err := io.ReadAll(a)
	if err != nil || int64(len(raw)) != a.Size {
		t.Errorf("%d bytes, %v; want %d", len(raw), err, a.Size)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), a.Size)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range z.File {
		got = append(got, f.Name)
	}
	if names := strings.Join(got, ", "); names != "foyer.json, app/über mich.md, app/empty" {
		t.Errorf("there are %s", names)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	s.empty(t, "afterwards")
}

// What goes wrong leaves no archive, also where the application says nothing of it.
func TestAnArchiveIsThereWholeOrNotAtAll(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		fill func(context.Context, Create) error
		want error
	}{
		"an error":            {func(_ context.Context, c Create) error { return errors.Join(write(c, "a", "x"), failed) }, failed},
		"a name that is lost": {func(_ context.Context, c Create) error { _ = write(c, "../a", "x"); return write(c, "b", "x") }, ErrName},
		"what is too large": {func(_ context.Context, c Create) error {
			w, err := c("a")
			_, _ = io.CopyN(w, rand.Reader, 1<<20)
			return err
		}, ErrTooLarge},
		"a file that was closed": {func(_ context.Context, c Create) error {
			w, _ := c("a")
			err := write(c, "b", "x")
			_, _ = io.WriteString(w, "more")
			return err
		}, nil},
	} {
		s := newShelf(t)
		s.limit = 1 << 16
		a, err := s.Build(t.Context(), "ann", c.fill)
		if a != nil || err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
		s.empty(t, name)
	}
	s := newShelf(t)
	ctx, cancel := context.WithCancel(t.Context())
	if a, err := s.Build(ctx, "ann", func(_ context.Context, c Create) error { cancel(); return nil }); a != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", a, err)
	}
	s.empty(t, "cancelled")
	func() {
		defer func() { _ = recover() }()
		_, _ = s.Build(t.Context(), "ann", func(context.Context, Create) error { panic("a fault") })
		t.Error("the panic is swallowed")
	}()
	s.empty(t, "a panic")
}

func TestNamesThatAreNone(t *testing.T) {
	s := newShelf(t)
	for _, name := range []string{"", ".", "/a", "../a", "a/../b", "a/", "a//b", `a\b`, `..\a`, "c:a", "a\x00", "a\u202eb", "a\n", strings.Repeat("a", 201), "taken", "TAKEN"} {
		_, err := s.Build(t.Context(), "ann", func(_ context.Context, c Create) error {
			return errors.Join(write(c, "taken", ""), write(c, name, ""))
		})
		if !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// One user has one archive at a time, and all have sixteen.
func TestOnlySoManyArchivesAreThere(t *testing.T) {
	s := newShelf(t)
	build := func(user string) (*Archive, error) {
		return s.Build(t.Context(), user, func(context.Context, Create) error { return nil })
	}
	var all []*Archive
	for i := range atOnce {
		a, err := build(string(rune('a' + i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
		if _, err := build("a"); err != ErrBusy {
			t.Errorf("a second one: %v", err)
		}
	}
	if _, err := build("z"); err != ErrBusy {
		t.Errorf("one too many: %v", err)
	}
	for _, a := range all {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	s.empty(t, "afterwards")
}
