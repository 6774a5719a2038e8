package pages

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"example.com/foyer/internal/archive"
	"example.com/foyer/internal/grant"
)

// download is how long it may take to send an archive. It is as long as it took to make
// it that a server's own limit has run already.
const download = 10 * time.Minute

// export handles "POST /account/export", also of who is about to be deleted. The answer
// is the file: there whole before the first byte goes out, and with its length, so that
// a browser sees where it breaks off.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) {
	if !p.pressed(w, r, aboutExport) {
		return
	}
	there, u, ok := p.here(w, r)
	if !ok {
		return
	}
	file, err := p.Export(r.Context(), grant.Visit{UserID: u.ID, AuthTime: there.AuthTime})
	switch {
	case errors.Is(err, archive.ErrBusy):
		p.write(w, r, http.StatusServiceUnavailable, busyPage)
		return
	case errors.Is(err, grant.ErrTooLate):
		p.write(w, r, http.StatusConflict, goingPage)
		return
	case err != nil:
		p.refusedAccount(w, r, there, u, err)
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	h.Set("Content-Disposition", `attachment; filename="my-data-`+p.Now().UTC().Format(time.DateOnly)+`.zip"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(download)) // where the server can
	_, _ = io.Copy(w, file)                                                      // an error means that the browser has gone
}
