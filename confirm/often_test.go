package confirm_test

import (
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
)

// Who has things shown without end is told how long to wait, and what was shown before
// can still be confirmed; without limits nobody is.
func TestWhoAsksForTooManyPreviewsIsToldToWait(t *testing.T) {
	s := newShop(t, func(cfg *foyer.Config) { cfg.CallsPerMinute = 10_000 }) // else foyertest has no limits
	ann, bob := s.house.SignIn(t, "ann@example.com"), s.house.SignIn(t, "bob@example.com")
	waits := shown(t, ann, "book", "tea")
	tools := []string{"book", "erase"} // one of ours, one of the SDK's
	for n := range 199 {
		drop(t, ann, shown(t, ann, tools[n%2], "salt"))
	}
	for _, tool := range tools {
		r := call(t, ann, tool, thing{"salt"})
		want(t, tool+", the 201st", r, "refused", "Nothing was done: "+tool+" showed nothing")
		if after, _ := r.data["retry_after"].(float64); !r.isError || after < 1 || after > 600 || !strings.Contains(r.text, "Call it again in ") {
			t.Errorf("%s: %s", tool, r.raw)
		}
	}
	shown(t, bob, "book", "salt")
	want(t, "what was shown before", confirms(t, ann, waits), "succeeded", "Done: Get tea.")

	free := newShop(t, func(cfg *foyer.Config) { cfg.CallsPerMinute, cfg.DangerouslyNoLimits = 10_000, true })
	guest := free.house.Guest(t)
	for range 210 {
		drop(t, guest, shown(t, guest, "keep", "salt"))
	}
}

func drop(t testing.TB, session *mcp.ClientSession, token string) {
	t.Helper()
	want(t, "dropped", call(t, session, "cancel_request", map[string]any{"confirmationToken": token}), "cancelled", "was dropped")
}
