package foyer

import (
	"net/http"
	osexec "os/exec"
	"testing"
	"time"
)

// What an operator does by the program, in a process of its own, counts from the
// next request on in a server that runs, and its open streams hear of it; so they
// do when an elevation ends, by the server's clock, which is held by hand.
func TestWhatAnOperatorDoesIsLiveInAServerThatRuns(t *testing.T) {
	binary, h := buildProgram(t), newBank(t)
	h.advance(time.Since(h.clock())) // to the clock of the program
	ann, bob := h.guest(t), h.guest(t)
	ann.signIn(t, "ann@example.com")
	bob.signIn(t, "bob@example.com")
	operator := func(args ...string) {
		t.Helper()
		if out, err := osexec.CommandContext(t.Context(), binary, append(args, "--data", h.dir)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	open := func(when string, want bool) {
		t.Helper()
		for tool, g := range map[string]*guest{"close_bank": ann, "export_journal": bob} {
			if a := g.call(t, tool, ""); (a.status == http.StatusOK && !a.isError) != want {
				t.Errorf("%s: %s: %d %s", when, tool, a.status, a.raw)
			}
		}
	}
	streams := []openStream{ann.listens(t, modern), ann.listens(t, "2025-11-25"), bob.listens(t, modern), bob.listens(t, "2025-11-25")}
	heard := func(what string) {
		t.Helper()
		for i, s := range streams {
			if !s.heard() {
				t.Errorf("stream %d does not hear of %s", i, what)
			}
		}
	}
	open("before", false)
	operator("users", "roles", "ann@example.com", "director")
	operator("grants", "elevate", bob.bearer(t).Grant.ID, "--scope", "journal:export", "--for", "30m", "--reason", "he leaves", "--by", "ann")
	open("with a role, and elevated", true)
	heard("a role and an elevation")
	h.advance(31 * time.Minute)
	operator("users", "roles", "ann@example.com", "--none")
	open("without the role, and when the time is over", false)
	heard("the end of both")
}
